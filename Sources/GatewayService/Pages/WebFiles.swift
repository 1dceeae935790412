/// The files of `Web/`, which are embedded in the program. A file that is not in this list is not served.
package enum WebFiles {
    package static let templates: [String: [UInt8]] = [
        "add-device": PackageResources.add_device_mustache,
        "admin-applications": PackageResources.admin_applications_mustache,
        "admin-audit": PackageResources.admin_audit_mustache,
        "admin-foot": PackageResources.admin_foot_mustache,
        "admin-group": PackageResources.admin_group_mustache,
        "admin-groups": PackageResources.admin_groups_mustache,
        "admin-head": PackageResources.admin_head_mustache,
        "admin-overview": PackageResources.admin_overview_mustache,
        "admin-people": PackageResources.admin_people_mustache,
        "admin-person": PackageResources.admin_person_mustache,
        "admin-policy": PackageResources.admin_policy_mustache,
        "admin-refused": PackageResources.admin_refused_mustache,
        "admin-settings": PackageResources.admin_settings_mustache,
        "admin-sign-ins": PackageResources.admin_sign_ins_mustache,
        "admin-target-picker": PackageResources.admin_target_picker_mustache,
        "brand": PackageResources.brand_mustache,
        "error": PackageResources.error_mustache,
        "page-foot": PackageResources.page_foot_mustache,
        "page-head": PackageResources.page_head_mustache,
        "security-info": PackageResources.security_info_mustache,
        "sign-in": PackageResources.sign_in_mustache,
    ]

    package static let assets: [String: [UInt8]] = [
        "add-device.js": PackageResources.add_device_js,
        "admin-applications.js": PackageResources.admin_applications_js,
        "admin-audit.js": PackageResources.admin_audit_js,
        "admin-group.js": PackageResources.admin_group_js,
        "admin-groups.js": PackageResources.admin_groups_js,
        "admin-import.js": PackageResources.admin_import_js,
        "admin-overview.js": PackageResources.admin_overview_js,
        "admin-people.js": PackageResources.admin_people_js,
        "admin-person.js": PackageResources.admin_person_js,
        "admin-policy.js": PackageResources.admin_policy_js,
        "admin-settings.js": PackageResources.admin_settings_js,
        "admin-sign-ins.js": PackageResources.admin_sign_ins_js,
        "administration.js": PackageResources.administration_js,
        "answer.js": PackageResources.answer_js,
        "api.js": PackageResources.api_js,
        "chart.js": PackageResources.chart_js,
        "countersign.css": PackageResources.countersign_css,
        "drafts.js": PackageResources.drafts_js,
        "filters.js": PackageResources.filters_js,
        "icons.svg": PackageResources.icons_svg,
        "mark.svg": PackageResources.mark_svg,
        "page.js": PackageResources.page_js,
        "paged-list.js": PackageResources.paged_list_js,
        "ring.js": PackageResources.ring_js,
        "security-info.js": PackageResources.security_info_js,
        "session.js": PackageResources.session_js,
        "sign-in.js": PackageResources.sign_in_js,
        "target-picker.js": PackageResources.target_picker_js,
    ]

    /// By language; the first of `Texts.languages` is what everyone else gets.
    package static let texts: [String: [UInt8]] = [
        "de": PackageResources.de_json,
        "en": PackageResources.en_json,
    ]
}
