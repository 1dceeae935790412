/// The number that a person copies from the screen to the phone.
enum MatchingNumber {
    /// Evenly from all numbers of so many digits that do not begin with 0.
    static func random(digits: Int, _ randomBytes: (Int) -> [UInt8]) -> String {
        let lowest = (1..<digits).reduce(UInt32(1)) { power, _ in power * 10 }
        let count = lowest * 9
        // Rejecting the rest of the range keeps every number equally likely.
        let bound = UInt32.max - UInt32.max % count
        while true {
            let word = randomBytes(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            if word < bound { return String(lowest + word % count) }
        }
    }
}
