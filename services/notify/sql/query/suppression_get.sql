select count(*) as held
from suppression
where email = :email and until > :now
