/// What an operator may set, and the limits that are fixed.
package struct PolicyConfiguration: Sendable {
    /// Where the operator's token is; made at the first start.
    package var operatorTokenFile: String
    /// How long a token of the token endpoint is good.
    package var tokenLifetime: Duration
    /// How often expired tokens and replies are deleted.
    package var purgeInterval: Duration

    package init(
        operatorTokenFile: String, tokenLifetime: Duration = .seconds(3600), purgeInterval: Duration = .seconds(600)
    ) {
        self.operatorTokenFile = operatorTokenFile
        self.tokenLifetime = tokenLifetime
        self.purgeInterval = purgeInterval
    }

    static let secretBytes = 32
    static let idBytes = 16
    static let purgeBatchMax = 500
    static let patchBytesMax = 65_536
    /// A document with everything filled in; four of them still fit into one message.
    static let documentBytesMax = 49_152
    static let applicationsMax = 100
    /// How long a follower may be parked.
    static let watchMax = Duration.seconds(30)
}
