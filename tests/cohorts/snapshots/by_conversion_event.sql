WITH picked AS (
  SELECT m.member, m.member AS person, 19850 - m.day AS age, m.tilde_campaign AS k0
  FROM install_members AS m
  WHERE m.app = 4
    AND m.day BETWEEN 19844 AND 19845
    AND m.variant <> 1
),
cohorts AS (
  SELECT p.k0 AS k0, COUNT(*) AS users, MAX(p.age) AS max_age, MIN(p.age) AS min_age, ROW_NUMBER() OVER (ORDER BY p.k0) AS cohort
  FROM picked AS p
  GROUP BY p.k0
  HAVING COUNT(*) >= 1
),
placed AS (
  SELECT p.member, p.person, c.cohort AS place
  FROM picked AS p JOIN cohorts AS c ON p.k0 = c.k0
),
tuples AS (
  SELECT c.k0, e.k1, c.cohort, c.users, c.max_age, c.min_age
  FROM (SELECT DISTINCT a.place, x.os AS k1 FROM (SELECT DISTINCT m.place, a.context FROM (SELECT * FROM install_activity_main WHERE member BETWEEN 100 AND 250 UNION ALL SELECT * FROM install_activity_delta) AS a JOIN placed AS m ON m.member = a.member WHERE a.variant <> 1 AND a.d < 3) AS a JOIN contexts AS x ON x.context = a.context) AS e
  JOIN cohorts AS c ON c.cohort = e.place
),
chosen AS (
  SELECT ROW_NUMBER() OVER (ORDER BY users DESC, v0 ASC NULLS LAST, v1 ASC NULLS LAST) AS item, n.*
  FROM (SELECT t.*, w0.word AS v0, w1.word AS v1 FROM tuples AS t LEFT JOIN words AS w0 ON w0.code = t.k0 LEFT JOIN words AS w1 ON w1.code = t.k1
    WHERE t.users >= (SELECT MIN(l.users) FROM (SELECT users FROM tuples ORDER BY users DESC LIMIT 50) AS l)
    ORDER BY users DESC, v0 ASC NULLS LAST, v1 ASC NULLS LAST LIMIT 50) AS n
)
SELECT 0 AS kind, c.item, NULL AS slot, NULL AS band, c.users AS n, c.max_age AS b, c.min_age AS c, (SELECT COUNT(*) FROM tuples) AS d, NULL AS e, NULL AS f, c.v0, c.v1
FROM chosen AS c
UNION ALL
SELECT 2, q.item, 0, q.band, COUNT(*), NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM (SELECT c.item AS item, m.person, a.d AS band
  FROM (SELECT * FROM install_activity_main WHERE member BETWEEN 100 AND 250 AND event IN (2) UNION ALL SELECT * FROM install_activity_delta WHERE event IN (2)) AS a JOIN placed AS m ON m.member = a.member JOIN contexts AS x ON x.context = a.context JOIN chosen AS c ON c.cohort = m.place AND c.k1 = x.os
  WHERE a.variant <> 1 AND a.d < 3 AND 1 = 1
  GROUP BY c.item, m.person, a.d) AS q
GROUP BY q.item, q.band
UNION ALL
SELECT 2, q.item, 1, q.band, COUNT(*), NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM (SELECT c.item AS item, m.person, a.d AS band
  FROM (SELECT * FROM install_activity_main WHERE member BETWEEN 100 AND 250 UNION ALL SELECT * FROM install_activity_delta) AS a JOIN placed AS m ON m.member = a.member JOIN contexts AS x ON x.context = a.context JOIN chosen AS c ON c.cohort = m.place AND c.k1 = x.os
  WHERE a.variant <> 1 AND a.d < 3 AND (a.event IN (2) OR a.entry = 1)
  GROUP BY c.item, m.person, a.d) AS q
GROUP BY q.item, q.band
