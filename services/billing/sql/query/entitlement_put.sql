-- Gives it a value, in the place of the former one. The account's version guards it.
insert into entitlement (tenant_id, feature, "boolean", number, "text")
values (:tenant_id, :feature, :boolean, :number, :text)
on conflict (tenant_id, feature) do update set "boolean" = excluded."boolean",
    number = excluded.number, "text" = excluded."text"
