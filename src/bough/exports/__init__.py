"""Export jobs: a cohort request becomes a job, the job a file, the file a signed address."""
