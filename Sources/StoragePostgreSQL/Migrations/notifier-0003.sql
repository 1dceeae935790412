-- A wake-up that was sent is kept until its request has ended: then the device is told that.
ALTER TABLE wake_up ADD COLUMN stage TEXT NOT NULL DEFAULT 'ring';
