-- The catalogue in force.
select version, document from catalogue_directory order by version desc limit 1
