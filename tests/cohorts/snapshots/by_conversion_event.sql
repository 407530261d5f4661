SELECT m.member, 19850 - m.day AS age, m.tilde_campaign AS k0
  FROM install_members AS m
  WHERE m.app = 4
    AND m.day BETWEEN 19844 AND 19845
    AND m.variant <> 1
