-- How many are parked, of each subscription that has any.
select subscription, count(*) as n
from parked
group by subscription
