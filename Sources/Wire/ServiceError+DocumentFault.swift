package import Domain

extension ServiceError {
    /// What the caller of the public API is told; never more than the names of members and what they may hold.
    package init(_ fault: DocumentFault) {
        switch fault {
        case .malformed(let detail):
            self.init(.malformed, detail)
        case .unknownMember(let path):
            let member = path.asMemberName
            self.init(.unknownMember, "unknown member: \(member)", members: ["member": member])
        case .invalidValue(let member, let allowed):
            self.init(.invalidValue, "\(member) must be: \(allowed)", members: ["member": member, "allowed": allowed])
        case .outOfRange(let member, let range):
            self.init(
                .outOfRange, "\(member) must be a whole number from \(range.lowerBound) to \(range.upperBound)",
                members: ["member": member, "range": "\(range.lowerBound)-\(range.upperBound)"])
        case .duplicate(let member):
            self.init(
                .invalidValue, "\(member) names a target that is in the list already", members: ["member": member])
        }
    }
}
