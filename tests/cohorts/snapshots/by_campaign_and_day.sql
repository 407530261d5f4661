SELECT m.member, 19850 - m.day AS age, m.tilde_campaign AS k0, m.day AS k1
  FROM install_members AS m
  WHERE m.app = 4
    AND m.day BETWEEN 19844 AND 19845
    AND m.variant <> 1
WITH scope AS (SELECT v.app, v.as_of FROM (VALUES (4, 19850)) AS v(app, as_of))
SELECT o.tilde_campaign, o.day, SUM(o.micro) AS micro, CAST(SUM(CASE WHEN o.micro IS NULL THEN 1 ELSE 0 END) AS BIGINT) AS without_rate
FROM costs AS o JOIN scope AS s ON s.app = o.app
WHERE o.day BETWEEN 19844 AND 19845 AND o.tilde_campaign <> 0
GROUP BY o.tilde_campaign, o.day
