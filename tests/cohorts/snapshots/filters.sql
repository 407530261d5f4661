WITH scope AS (
  SELECT v.app, v.as_of FROM (VALUES (4, 19850)) AS v(app, as_of)
),
picked AS (
  SELECT m.member, m.member AS person, s.as_of - m.day AS age
  FROM install_members AS m JOIN scope AS s ON s.app = m.app
  WHERE m.day BETWEEN 19844 AND 19845
    AND m.variant <> 1
    AND (m.tilde_campaign = 0 OR m.tilde_campaign IN (SELECT code FROM words WHERE word IN ($p0))) AND NOT (m.tilde_campaign IN (SELECT code FROM words WHERE word IN ($p1)))
    AND (m.tilde_tags IN (SELECT code FROM words WHERE word IN ($p2) OR strpos(',' || word || ',', $p3) > 0))
    AND (m.day IN (19844))
    AND (m.tilde_agency_id IN (SELECT code FROM words WHERE word IN ($p4)))
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
  SELECT p.member, p.person, c.item AS place
  FROM picked AS p CROSS JOIN chosen AS c
)
SELECT 0 AS kind, c.item, NULL AS slot, NULL AS band, c.users AS n, c.max_age AS b, c.min_age AS c, (SELECT COUNT(*) FROM tuples) AS d, NULL AS e, NULL AS f
FROM chosen AS c
UNION ALL
SELECT 1, m.place, 0, a.d, CAST(SUM(a.n) AS BIGINT), 0, 0, 0, 0, 0
FROM (SELECT * FROM install_activity_main WHERE member BETWEEN 100 AND 250 AND event IN (2) UNION ALL SELECT * FROM install_activity_delta WHERE event IN (2)) AS a JOIN placed AS m ON m.member = a.member JOIN contexts AS x ON x.context = a.context
WHERE a.variant <> 1 AND a.d < 3 AND (x.os IN (SELECT code FROM words WHERE word IN ($p5)))
GROUP BY m.place, a.d
-- $p0 = 'A'
-- $p1 = 'B'
-- $p2 = 'x'
-- $p3 = ',x,'
-- $p4 = '7'
-- $p5 = 'IOS'
