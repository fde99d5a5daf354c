//! The OpenStack releases the simulator can be, and how they differ to a client of `VPNaaS`.

/// An OpenStack release; what it brings is fixed by the versions of neutron-lib and neutron-vpnaas it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the releases' own")]
pub enum Release {
    V2023_1,
    V2023_2,
    V2024_1,
    V2024_2,
    V2025_1,
    V2025_2,
    V2026_1,
    V2026_2,
}

impl Release {
    /// The API takes GCM, CCM, the AES hashes and groups 15–31 from neutron-lib 3.9 on.
    pub(super) fn accepts_new_algorithms(self) -> bool {
        self >= Self::V2024_1
    }

    /// The database takes them from neutron-vpnaas 26 on; in between they end in a 500.
    pub(super) fn stores_new_algorithms(self) -> bool {
        self >= Self::V2025_1
    }

    /// neutron-vpnaas 29 dropped `sha1` and `3des` from the database but not from the API, which still defaults to
    /// `sha1`.
    pub(super) fn stores_weak_algorithms(self) -> bool {
        self < Self::V2026_2
    }

    /// Before Neutron 29, loading the VPN plugin switched filter validation off.
    pub(super) fn validates_filters_with_vpnaas(self) -> bool {
        self >= Self::V2026_2
    }

    /// The OVN VPN plugin exists since neutron-vpnaas 24.
    pub(super) fn has_ovn_plugin(self) -> bool {
        self >= Self::V2024_1
    }

    /// Every rule of neutron-vpnaas asks for a member from 27 on, reading included; before, any role would do.
    pub(super) fn keeps_readers_out(self) -> bool {
        self >= Self::V2025_2
    }

    /// neutron-lib 4 refuses names with blanks at either end.
    pub(super) fn checks_names(self) -> bool {
        self >= Self::V2026_2
    }

    /// Launchpad bug 2127166: agents 25 to 27 do not load a second connection of a router.
    pub(super) fn ignores_later_connections(self) -> bool {
        (Self::V2024_2..=Self::V2025_2).contains(&self)
    }

    /// Before neutron-vpnaas 28 duplicate endpoints ran into the database's primary key instead of a check.
    pub(super) fn checks_duplicate_endpoints(self) -> bool {
        self >= Self::V2026_1
    }

    /// The extensions of the 2026.2 that releases before it do not list, `VPNaaS` and filters aside.
    pub(super) fn lacks_extension(self, alias: &str) -> bool {
        const NEW: [&str; 4] = [
            "aap-reject-multicast",
            "agent_sort_key",
            "floating-ip-router-writable",
            "security-groups-default-statefulness",
        ];
        self < Self::V2026_2 && NEW.contains(&alias)
    }
}
