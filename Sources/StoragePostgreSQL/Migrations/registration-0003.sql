-- Which session asked: the person's other sessions end with their first phone.
ALTER TABLE activation ADD COLUMN session TEXT COLLATE "C";
