-- Whether more may be made of a picture: what is made counts for no storage, so it is bounded.
-- expect: one INVALID "This picture was made in 64 ways already; no more are made of one."
select true as fine where (select count(*) from rendition
    where tenant_id = :tenant_id and file_id = :file_id) < 64
