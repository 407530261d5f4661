WITH scope AS (
  SELECT v.app, v.as_of FROM (VALUES (4, 19850)) AS v(app, as_of)
),
picked AS (
  SELECT m.member, m.member AS person, 19850 - m.day AS age
  FROM install_members AS m
  WHERE m.app = 4
    AND m.day BETWEEN 19844 AND 19845
    AND m.variant <> 1
),
cohorts AS (
  SELECT COUNT(*) AS users, MAX(p.age) AS max_age, MIN(p.age) AS min_age
  FROM picked AS p
  HAVING COUNT(*) >= 1
),
tuples AS (
  SELECT c.users, c.max_age, c.min_age
  FROM cohorts AS c
),
chosen AS (
  SELECT ROW_NUMBER() OVER (ORDER BY users DESC) AS item, n.*
  FROM (SELECT t.* FROM tuples AS t
    ORDER BY users DESC LIMIT 100) AS n
),
placed AS (
  SELECT p.member, c.item AS place
  FROM picked AS p CROSS JOIN chosen AS c
)
SELECT 0 AS kind, c.item, NULL AS slot, NULL AS band, c.users AS n, c.max_age AS b, c.min_age AS c, (SELECT COUNT(*) FROM tuples) AS d, NULL AS e, NULL AS f
FROM chosen AS c
UNION ALL
SELECT 1, m.place, 0, a.d, 0, 0, 0, 0, 0, 0
FROM (SELECT * FROM install_activity_main WHERE member BETWEEN 100 AND 250 AND event IN (2) UNION ALL SELECT * FROM install_activity_delta WHERE event IN (2)) AS a JOIN placed AS m ON m.member = a.member
WHERE a.variant <> 1 AND a.d < 3
GROUP BY m.place, a.d
UNION ALL
SELECT 2, q.item, 0, q.band, COUNT(*), NULL, NULL, NULL, NULL, NULL
FROM (SELECT m.place AS item, a.member AS person, LEAST(MAX(a.d), 2) AS band
  FROM (SELECT * FROM install_activity_main WHERE member BETWEEN 100 AND 250 UNION ALL SELECT * FROM install_activity_delta) AS a JOIN placed AS m ON m.member = a.member
  WHERE a.variant <> 1 AND (a.event IN (2) OR a.entry = 1)
  GROUP BY m.place, a.member) AS q
GROUP BY q.item, q.band
UNION ALL
SELECT 4, c.item, NULL, NULL, CAST(SUM(o.micro) AS BIGINT), CAST(SUM(CASE WHEN o.micro IS NULL THEN 1 ELSE 0 END) AS BIGINT), NULL, NULL, NULL, NULL
FROM costs AS o JOIN scope AS s ON s.app = o.app CROSS JOIN chosen AS c
WHERE o.day BETWEEN 19844 AND 19845
GROUP BY c.item
