WITH picked AS (
  SELECT m.member, m.member AS person, 19850 - m.day AS age
  FROM install_members AS m
  WHERE m.app = 4
    AND m.day BETWEEN 19844 AND 19845
    AND m.variant <> 1
    AND (m.tilde_campaign = 0 OR m.tilde_campaign IN (7)) AND NOT (1 = 0)
    AND (m.tilde_tags IN (SELECT code FROM words WHERE word IN ($p0) OR strpos(',' || word || ',', $p1) > 0))
    AND (m.day IN (19844))
    AND (1 = 0)
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
WHERE a.variant <> 1 AND a.d < 3 AND (x.os IN (8))
GROUP BY m.place, a.d
-- $p0 = 'x'
-- $p1 = ',x,'
