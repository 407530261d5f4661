WITH scope AS (
  SELECT w.code AS app, v.as_of AS as_of FROM (VALUES ($p0, 19850)) AS v(app_id, as_of) JOIN words AS w ON w.word = v.app_id
),
picked AS (
  SELECT m.member, m.member AS person, s.as_of - m.day AS age
  FROM install_members AS m JOIN scope AS s ON s.app = m.app
  WHERE m.day BETWEEN 19844 AND 19845
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
),
wanted AS (
  SELECT u.event, MAX(u.slot) AS slot FROM (SELECT w.code AS event, v.slot AS slot FROM (VALUES ($p1, 0)) AS v(name, slot) JOIN words AS w ON w.word = v.name) AS u GROUP BY u.event
)
SELECT 0 AS kind, c.item, NULL AS slot, NULL AS band, c.users AS n, c.max_age AS b, c.min_age AS c, (SELECT COUNT(*) FROM tuples) AS d, NULL AS e, NULL AS f
FROM chosen AS c
UNION ALL
SELECT 1, m.place, w.slot, a.d, SUM(a.n), SUM(a.micro), SUM(a.missing_rate), 0, 0, 0
FROM install_activity AS a JOIN placed AS m ON m.member = a.member JOIN wanted AS w ON w.event = a.event
WHERE a.variant <> 1 AND a.d < 3
GROUP BY m.place, w.slot, a.d
UNION ALL
SELECT 4, c.item, NULL, NULL, SUM(o.micro), SUM(CASE WHEN o.micro IS NULL THEN 1 ELSE 0 END), NULL, NULL, NULL, NULL
FROM costs AS o JOIN scope AS s ON s.app = o.app CROSS JOIN chosen AS c
WHERE o.day BETWEEN 19844 AND 19845
GROUP BY c.item
-- $p0 = '1'
-- $p1 = 'OPEN'
