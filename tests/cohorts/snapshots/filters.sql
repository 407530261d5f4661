SELECT m.member, 19850 - m.day AS age
  FROM install_members AS m
  WHERE m.app = 4
    AND m.day BETWEEN 19844 AND 19845
    AND m.variant <> 1
    AND (m.tilde_campaign = 0 OR m.tilde_campaign IN (7)) AND NOT (1 = 0)
    AND (m.tilde_tags IN (SELECT code FROM words WHERE word IN ($p0) OR strpos(',' || word || ',', $p1) > 0))
    AND (m.day IN (19844))
    AND (1 = 0)
-- $p0 = 'x'
-- $p1 = ',x,'
