-- What a person chose to be offered first: phoneSignIn, push or code.
ALTER TABLE person ADD COLUMN default_method TEXT;
