-- Whether anything waits for its number. Takes no lock: this is asked each second.
select 1 as number where exists (select 1 from feed_fresh)
