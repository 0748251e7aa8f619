-- The bytes of a small partial upload, once all have come: whoever makes a final one of many
-- such looks at how the whole begins without a look at the store for each of them.
alter table upload add column head bytea;
