select count(*) as n from thing
