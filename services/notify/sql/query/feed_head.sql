-- The last number that was given.
select number as head from feed_head_directory
