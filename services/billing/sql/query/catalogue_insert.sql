-- Puts a catalogue in force, behind the one that was looked at.
insert into catalogue_directory (version, document, applied_at)
values (:version, :document, :now::timestamptz)
