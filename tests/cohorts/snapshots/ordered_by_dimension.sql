WITH scope AS (
  SELECT v.app, v.as_of FROM (VALUES (4, 19850)) AS v(app, as_of)
),
picked AS (
  SELECT m.member, m.member AS person, 19850 - m.day AS age, m.tilde_campaign AS k0
  FROM install_members AS m
  WHERE m.app = 4
    AND m.day BETWEEN 19844 AND 19845
    AND m.variant <> 1
),
cohorts AS (
  SELECT p.k0 AS k0, COUNT(*) AS users, MAX(p.age) AS max_age, MIN(p.age) AS min_age
  FROM picked AS p
  GROUP BY p.k0
  HAVING COUNT(*) >= 1
),
tuples AS (
  SELECT c.k0, c.users, c.max_age, c.min_age
  FROM cohorts AS c
),
chosen AS (
  SELECT ROW_NUMBER() OVER (ORDER BY v0 ASC NULLS LAST, users DESC, v0 ASC NULLS LAST) AS item, n.*
  FROM (SELECT t.*, w0.word AS v0 FROM tuples AS t LEFT JOIN words AS w0 ON w0.code = t.k0
    ORDER BY v0 ASC NULLS LAST, users DESC, v0 ASC NULLS LAST LIMIT 100) AS n
),
placed AS (
  SELECT p.member, c.item AS place
  FROM picked AS p JOIN chosen AS c ON p.k0 = c.k0
)
SELECT 0 AS kind, c.item, NULL AS slot, NULL AS band, c.users AS n, c.max_age AS b, c.min_age AS c, (SELECT COUNT(*) FROM tuples) AS d, NULL AS e, NULL AS f, c.v0
FROM chosen AS c
UNION ALL
SELECT 1, m.place, 0, a.d, CAST(SUM(a.n) AS BIGINT), 0, 0, 0, 0, 0, NULL
FROM (SELECT * FROM install_activity_main WHERE member BETWEEN 100 AND 250 AND event IN (2) UNION ALL SELECT * FROM install_activity_delta WHERE event IN (2)) AS a JOIN placed AS m ON m.member = a.member
WHERE a.variant <> 1 AND a.d < 3
GROUP BY m.place, a.d
UNION ALL
SELECT 4, c.item, NULL, NULL, CAST(SUM(o.micro) AS BIGINT), CAST(SUM(CASE WHEN o.micro IS NULL THEN 1 ELSE 0 END) AS BIGINT), NULL, NULL, NULL, NULL, NULL
FROM costs AS o JOIN scope AS s ON s.app = o.app JOIN chosen AS c ON o.tilde_campaign = c.k0
WHERE o.day BETWEEN 19844 AND 19845 AND o.tilde_campaign <> 0
GROUP BY c.item
