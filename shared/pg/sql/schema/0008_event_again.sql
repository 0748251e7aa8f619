-- A replay that applies events again: those after again_after, up to the furthest place
-- the lane ever stood at when somebody set it back, whatever the inbox knows of them. What
-- is applied again is behind the cursor then, and behind again_after once that is set back.
alter table event_cursor
    add column again_after bigint not null default 0,
    add column reached bigint not null default 0;
