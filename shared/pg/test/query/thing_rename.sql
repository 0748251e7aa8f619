-- expect: one PRECONDITION "Somebody was faster."
update thing set name = :name, version = version + 1 where id = :id and version = :old_version
