package import Domain

/// Every path below the base URL, as a function of its ids.
package enum APIPaths {
    package static let health = "/healthz"
    package static let readiness = "/readyz"
    package static let metrics = "/metrics"
    package static let tenants = "/v1/tenants"

    package static func tenant(_ tenant: TenantID) -> String { "/v1/\(tenant)" }
    package static func renewAdminToken(_ tenant: TenantID) -> String { "\(Self.tenant(tenant)):renew-admin-token" }
    package static func token(_ tenant: TenantID) -> String { "/v1/\(tenant)/token" }

    // MARK: sign-ins

    package static func signIns(_ tenant: TenantID) -> String { "/v1/\(tenant)/sign-ins" }
    package static func signIn(_ tenant: TenantID, _ id: ChallengeID) -> String { "\(signIns(tenant))/\(id)" }
    package static func signInEvents(_ tenant: TenantID, _ id: ChallengeID) -> String { "\(signIn(tenant, id))/events" }
    package static func signInCode(_ tenant: TenantID, _ id: ChallengeID) -> String { "\(signIn(tenant, id))/code" }
    package static func redeem(_ tenant: TenantID, _ id: ChallengeID) -> String { "\(signIn(tenant, id))/redeem" }

    // MARK: devices

    package static func devices(_ tenant: TenantID) -> String { "/v1/\(tenant)/devices" }
    package static func device(_ tenant: TenantID, _ id: DeviceID) -> String { "\(devices(tenant))/\(id)" }
    package static func deviceChallenges(_ tenant: TenantID, _ id: DeviceID) -> String {
        "\(device(tenant, id))/challenges"
    }
    package static func deviceEvents(_ tenant: TenantID, _ id: DeviceID) -> String { "\(device(tenant, id))/events" }
    package static func devicePush(_ tenant: TenantID, _ id: DeviceID) -> String { "\(device(tenant, id))/push" }
    package static func phoneSignIn(_ tenant: TenantID, _ id: DeviceID) -> String {
        "\(device(tenant, id))/phone-sign-in"
    }
    package static func answer(_ tenant: TenantID, _ id: ChallengeID) -> String {
        "/v1/\(tenant)/challenges/\(id)/answer"
    }

    // MARK: a person's own

    package static func session(_ tenant: TenantID) -> String { "/v1/\(tenant)/session" }
    package static func sessionCompletion(_ tenant: TenantID) -> String { "/v1/\(tenant)/session/complete" }
    package static func me(_ tenant: TenantID) -> String { "/v1/\(tenant)/me" }
    package static func myActivations(_ tenant: TenantID) -> String { "\(me(tenant))/activations" }
    package static func myActivation(_ tenant: TenantID, _ id: ActivationID) -> String {
        "\(myActivations(tenant))/\(id)"
    }
    package static func myActivationCode(_ tenant: TenantID, _ id: ActivationID) -> String {
        "\(myActivation(tenant, id))/qr.svg"
    }
    package static func mySignIns(_ tenant: TenantID) -> String { "\(me(tenant))/sign-ins" }
    package static func myDevice(_ tenant: TenantID, _ id: DeviceID) -> String { "\(me(tenant))/devices/\(id)" }

    // MARK: administration

    package static func admin(_ tenant: TenantID) -> String { "/v1/\(tenant)/admin" }
    package static func policy(_ tenant: TenantID) -> String { "\(admin(tenant))/policies/authenticator" }
    package static func policyPreview(_ tenant: TenantID) -> String { "\(policy(tenant)):preview" }
    package static func policyExplanation(_ tenant: TenantID) -> String { "\(policy(tenant))/explain" }
    package static func settings(_ tenant: TenantID) -> String { "\(admin(tenant))/settings" }
    package static func users(_ tenant: TenantID) -> String { "\(admin(tenant))/users" }
    package static func usersImport(_ tenant: TenantID) -> String { "\(admin(tenant))/users:import" }
    package static func user(_ tenant: TenantID, _ id: PersonID) -> String { "\(users(tenant))/\(id)" }
    package static func blockUser(_ tenant: TenantID, _ id: PersonID) -> String { "\(user(tenant, id)):block" }
    package static func unblockUser(_ tenant: TenantID, _ id: PersonID) -> String { "\(user(tenant, id)):unblock" }
    package static func unlockCodes(_ tenant: TenantID, _ id: PersonID) -> String { "\(user(tenant, id)):unlock-codes" }
    package static func temporaryAccessPass(_ tenant: TenantID, _ id: PersonID) -> String {
        "\(user(tenant, id))/temporary-access-pass"
    }
    package static func userDevices(_ tenant: TenantID, _ id: PersonID) -> String { "\(user(tenant, id))/devices" }
    package static func userDevice(_ tenant: TenantID, _ id: PersonID, _ device: DeviceID) -> String {
        "\(userDevices(tenant, id))/\(device)"
    }
    package static func pushCheck(_ tenant: TenantID, _ id: PersonID, _ device: DeviceID) -> String {
        "\(userDevice(tenant, id, device)):check-push"
    }
    package static func groups(_ tenant: TenantID) -> String { "\(admin(tenant))/groups" }
    package static func group(_ tenant: TenantID, _ id: GroupID) -> String { "\(groups(tenant))/\(id)" }
    package static func groupMembers(_ tenant: TenantID, _ id: GroupID) -> String { "\(group(tenant, id))/members" }
    package static func clients(_ tenant: TenantID) -> String { "\(admin(tenant))/clients" }
    package static func client(_ tenant: TenantID, _ id: ClientID) -> String { "\(clients(tenant))/\(id)" }
    package static func signInLog(_ tenant: TenantID) -> String { "\(admin(tenant))/sign-ins" }
    package static func signInSummary(_ tenant: TenantID) -> String { "\(signInLog(tenant)):summary" }
    package static func audit(_ tenant: TenantID) -> String { "\(admin(tenant))/audit" }
}
