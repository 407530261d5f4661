WITH scope AS (
  SELECT v.app, v.as_of FROM (VALUES (4, 19850)) AS v(app, as_of)
),
picked AS (
  SELECT m.member, m.who AS person, 19850 - m.day AS age, m.os AS k0
  FROM reengagement_members AS m
  WHERE m.app = 4
    AND m.day BETWEEN 19844 AND 19845
    AND m.variant <> 1
),
cohorts AS (
  SELECT p.k0 AS k0, COUNT(DISTINCT p.person) AS users, MAX(p.age) AS max_age, MIN(p.age) AS min_age
  FROM picked AS p
  GROUP BY p.k0
  HAVING COUNT(DISTINCT p.person) >= 1
),
tuples AS (
  SELECT c.k0, c.users, c.max_age, c.min_age
  FROM cohorts AS c
),
chosen AS (
  SELECT ROW_NUMBER() OVER (ORDER BY users DESC, v0 ASC NULLS LAST) AS item, n.*
  FROM (SELECT t.*, w0.word AS v0 FROM tuples AS t LEFT JOIN words AS w0 ON w0.code = t.k0
    ORDER BY users DESC, v0 ASC NULLS LAST LIMIT 34) AS n
),
placed AS (
  SELECT p.member, p.person, c.item AS place
  FROM picked AS p JOIN chosen AS c ON p.k0 = c.k0
)
SELECT 0 AS kind, c.item, NULL AS slot, NULL AS band, c.users AS n, c.max_age AS b, c.min_age AS c, (SELECT COUNT(*) FROM tuples) AS d, NULL AS e, NULL AS f, c.v0
FROM chosen AS c
UNION ALL
SELECT 1, m.place, -1, a.d, 0, CAST(SUM(a.micro) AS BIGINT), CAST(SUM(a.missing_rate) AS BIGINT), 0, 0, 0, NULL
FROM (SELECT * FROM reengagement_activity_main WHERE member BETWEEN 100 AND 250 AND event IN (5, 6) UNION ALL SELECT * FROM reengagement_activity_delta WHERE event IN (5, 6)) AS a JOIN placed AS m ON m.member = a.member
WHERE a.variant <> 1 AND a.d < 3
GROUP BY m.place, a.d
UNION ALL
SELECT 2, q.item, 0, q.band, COUNT(*), NULL, NULL, NULL, NULL, NULL, NULL
FROM (SELECT m.place AS item, m.person, a.d AS band
  FROM (SELECT * FROM reengagement_activity_main WHERE member BETWEEN 100 AND 250 UNION ALL SELECT * FROM reengagement_activity_delta) AS a JOIN placed AS m ON m.member = a.member
  WHERE a.variant <> 1 AND a.d < 3 AND (a.event IN (2, 3) OR a.entry = 1)
  GROUP BY m.place, m.person, a.d) AS q
GROUP BY q.item, q.band
UNION ALL
SELECT 2, q.item, 2, q.band, COUNT(*), NULL, NULL, NULL, NULL, NULL, NULL
FROM (SELECT m.place AS item, m.person, a.d AS band
  FROM (SELECT * FROM reengagement_activity_main WHERE member BETWEEN 100 AND 250 AND event IN (5, 6) UNION ALL SELECT * FROM reengagement_activity_delta WHERE event IN (5, 6)) AS a JOIN placed AS m ON m.member = a.member
  WHERE a.variant <> 1 AND a.d < 3 AND a.paid = 1
  GROUP BY m.place, m.person, a.d) AS q
GROUP BY q.item, q.band
UNION ALL
SELECT 4, c.item, NULL, NULL, CAST(SUM(o.micro) AS BIGINT), CAST(SUM(CASE WHEN o.micro IS NULL THEN 1 ELSE 0 END) AS BIGINT), NULL, NULL, NULL, NULL, NULL
FROM costs AS o JOIN scope AS s ON s.app = o.app JOIN chosen AS c ON o.os = c.k0
WHERE o.day BETWEEN 19844 AND 19845 AND o.os <> 0
GROUP BY c.item
