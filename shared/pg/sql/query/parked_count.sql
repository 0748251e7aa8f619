select count(*) as n from parked
