-- Once in a schema's life.
insert into event_head (lane, last_seq, first_seq, epoch)
select n, 0, 1, 1 from generate_series(0, 15) as n
on conflict do nothing
