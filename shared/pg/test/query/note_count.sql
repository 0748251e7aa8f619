select count(*) as n from note
