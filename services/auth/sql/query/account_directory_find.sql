-- Whose address this is: no row where it is nobody's.
select account_id, email, display_name, verified
from account_directory
where email = :email
