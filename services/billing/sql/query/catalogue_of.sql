-- A catalogue that was in force.
-- expect: one INTERNAL
select version, document from catalogue_directory where version = :version
