-- Who has how many phones to be rung is asked often, and most of all while they are many.
CREATE INDEX wake_up_owed ON wake_up (stage, transport, tenant) WHERE stage = 'ring';
