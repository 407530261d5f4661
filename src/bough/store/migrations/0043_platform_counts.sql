INSERT INTO link_day_count (link, day, dimension, value, clicks)
    SELECT link, day, 'platform', '', sum(CASE dimension WHEN 'all' THEN clicks ELSE -clicks END)
    FROM link_day_count WHERE dimension IN ('all', 'platform') GROUP BY link, day
    HAVING sum(CASE dimension WHEN 'all' THEN clicks ELSE -clicks END) > 0;
DELETE FROM link_day_count WHERE dimension = 'all';
