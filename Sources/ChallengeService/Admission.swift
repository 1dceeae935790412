import Domain
import Storage
import Wire

/// Whether a new request may reach the person's phones, and which: decided from what registration and the tenant's policy say.
struct Admission {
    let person: ChallengeRecord.Person?
    /// The devices that it may reach.
    let devices: [DeviceRecord]
    let verdict: PolicyVerdict
    /// Why it is a decoy; nil when it may reach a phone.
    let refusal: SignInReason?

    init(_ found: ResolvePersonReply, factor: Factor, policy: AuthenticatorPolicy) {
        person = found.found ? ChallengeRecord.Person(found) : nil
        verdict = policy.verdict(person: person?.id ?? PersonID(""), groups: person?.groups ?? [])
        devices = found.devices.filter { (device: DeviceRecord) -> Bool in
            device.state == DeviceState.active.rawValue && (factor == .secondFactor || device.phoneSignIn)
        }
        refusal = Self.refusal(found, devices, verdict.allowsPush(factor))
    }

    private static func refusal(_ found: ResolvePersonReply, _ devices: [DeviceRecord], _ isAllowed: Bool)
        -> SignInReason?
    {
        if !found.found { return .unknownUser }
        if found.person.blocked { return .blocked }
        if !isAllowed { return .outsidePolicy }
        return devices.isEmpty ? .noDevice : nil
    }
}

extension ChallengeRecord.Person {
    init(_ found: ResolvePersonReply) {
        self.init(
            id: PersonID(found.person.id), username: found.person.username, displayName: found.person.displayName,
            groups: Set(found.person.groups.map(GroupID.init(rawValue:))),
            mayUseCodes: found.mayUseCodes && !found.person.blocked)
    }
}
