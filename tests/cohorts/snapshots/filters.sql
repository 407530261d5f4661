WITH scope AS (
  SELECT w.code AS app, v.as_of AS as_of FROM (VALUES ($p0, 19850)) AS v(app_id, as_of) JOIN words AS w ON w.word = v.app_id
),
picked AS (
  SELECT m.member, m.member AS person, s.as_of - m.day AS age
  FROM install_members AS m JOIN scope AS s ON s.app = m.app
  WHERE m.day BETWEEN 19844 AND 19845
    AND m.variant <> 1
    AND (m.tilde_campaign = 0 OR m.tilde_campaign IN (SELECT code FROM words WHERE word IN ($p1))) AND NOT (m.tilde_campaign IN (SELECT code FROM words WHERE word IN ($p2)))
    AND (m.tilde_tags IN (SELECT code FROM words WHERE word IN ($p3) OR strpos(',' || word || ',', $p4) > 0))
    AND (m.day IN (19844))
    AND (m.tilde_agency_id IN (SELECT code FROM words WHERE word IN ($p5)))
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
),
wanted AS (
  SELECT u.event, MAX(u.slot) AS slot FROM (SELECT w.code AS event, v.slot AS slot FROM (VALUES ($p6, 0)) AS v(name, slot) JOIN words AS w ON w.word = v.name) AS u GROUP BY u.event
)
SELECT 0 AS kind, c.item, NULL AS slot, NULL AS band, c.users AS n, c.max_age AS b, c.min_age AS c, (SELECT COUNT(*) FROM tuples) AS d, NULL AS e, NULL AS f
FROM chosen AS c
UNION ALL
SELECT 1, m.place, w.slot, a.d, SUM(a.n), SUM(a.micro), SUM(a.missing_rate), 0, 0, 0
FROM install_activity AS a JOIN placed AS m ON m.member = a.member JOIN contexts AS x ON x.context = a.context JOIN wanted AS w ON w.event = a.event
WHERE a.variant <> 1 AND a.d < 3 AND (x.os IN (SELECT code FROM words WHERE word IN ($p7)))
GROUP BY m.place, w.slot, a.d
-- $p0 = '1'
-- $p1 = 'A'
-- $p2 = 'B'
-- $p3 = 'x'
-- $p4 = ',x,'
-- $p5 = '7'
-- $p6 = 'OPEN'
-- $p7 = 'IOS'
