-- Elects the one who numbers, until the end of his transaction.
-- expect: one CONFLICT
select number from feed_head_directory for update
