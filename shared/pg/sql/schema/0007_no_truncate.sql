-- A vacuum that gives the empty end of a table back to the disk locks the table, and who
-- writes meanwhile waits, or is told BUSY after lock_timeout. These are written to by
-- every change and are empty again and again: what they have grown to is kept.
alter table outbox set (vacuum_truncate = false, toast.vacuum_truncate = false);
alter table job set (vacuum_truncate = false, toast.vacuum_truncate = false);
alter table idempotency set (vacuum_truncate = false, toast.vacuum_truncate = false);
