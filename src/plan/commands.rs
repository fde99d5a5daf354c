//! What a plan creates, as commands of the `openstack` client. The key is in none of them.

use super::shell::openstack;
use super::{Far, HalfPlan, Outer, Plan, ServicePlan, ShellCommand};

impl Plan {
    /// The commands that create the same by hand, in order. They read the key from `OSVPN_PSK`.
    pub fn openstack_commands(&self) -> Vec<ShellCommand> {
        let services = self.halves().filter_map(|half| self.service_command(half));
        let shared = self.halves().flat_map(|half| self.commands_before_connection(half));
        let connections = self.halves().map(|half| self.connection_command(half));
        services.chain(shared).chain(connections).collect()
    }

    /// What creates the service of a half. None if there is one.
    fn service_command(&self, half: &HalfPlan) -> Option<ShellCommand> {
        let create = || openstack(&half.region, "vpn service create --router").value(&half.router.id);
        matches!(half.service, ServicePlan::Create).then(|| create().operand(self.name().of("vpn_service")))
    }

    fn commands_before_connection(&self, half: &HalfPlan) -> [ShellCommand; 4] {
        let (ike, ipsec) = (&self.policy().ike, &self.policy().ipsec);
        let ike = openstack(&half.region, "vpn ike policy create --ike-version")
            .value(ike.ike_version)
            .words("--phase1-negotiation-mode")
            .value(ike.phase1_negotiation_mode)
            .words("--auth-algorithm")
            .value(ike.auth_algorithm)
            .words("--encryption-algorithm")
            .value(ike.encryption_algorithm)
            .words("--pfs")
            .value(ike.pfs)
            .words("--lifetime")
            .value(format_args!("units=seconds,value={}", ike.lifetime));
        let ipsec = openstack(&half.region, "vpn ipsec policy create --transform-protocol")
            .value(ipsec.transform_protocol)
            .words("--encapsulation-mode")
            .value(ipsec.encapsulation_mode)
            .words("--auth-algorithm")
            .value(ipsec.auth_algorithm)
            .words("--encryption-algorithm")
            .value(ipsec.encryption_algorithm)
            .words("--pfs")
            .value(ipsec.pfs)
            .words("--lifetime")
            .value(format_args!("units=seconds,value={}", ipsec.lifetime));
        let group = |words| openstack(&half.region, words);
        let local = half.local.iter().map(|subnet| &subnet.id);
        let local =
            local.fold(group("vpn endpoint group create --type subnet"), |all, id| all.words("--value").value(id));
        let remote = half.remote.iter();
        let remote =
            remote.fold(group("vpn endpoint group create --type cidr"), |all, one| all.words("--value").value(one));
        [
            ike.operand(self.name().of("ike_policy")),
            ipsec.operand(self.name().of("ipsec_policy")),
            local.operand(self.name().of("local_endpoint_group")),
            remote.operand(self.name().of("peer_endpoint_group")),
        ]
    }

    fn connection_command(&self, half: &HalfPlan) -> ShellCommand {
        let (policy, name) = (self.policy(), self.name());
        let service = match &half.service {
            ServicePlan::Create => name.of("vpn_service"),
            ServicePlan::Reuse(service) => service.id.to_string(),
        };
        let dpd = &policy.dpd;
        let command = openstack(&half.region, "vpn ipsec site connection create --vpnservice")
            .value(service)
            .words("--ikepolicy")
            .value(name.of("ike_policy"))
            .words("--ipsecpolicy")
            .value(name.of("ipsec_policy"))
            .words("--local-endpoint-group")
            .value(name.of("local_endpoint_group"))
            .words("--peer-endpoint-group")
            .value(name.of("peer_endpoint_group"));
        self.with_peer(command, half)
            .words("--dpd")
            .value(format_args!("action={},interval={},timeout={}", dpd.action, dpd.interval, dpd.timeout))
            .words("--mtu")
            .value(policy.mtu)
            .words("--initiator")
            .value(policy.initiator)
            .words("--psk \"$OSVPN_PSK\"")
            .operand(name.of("vpn_site_connection"))
    }

    /// With the address and the identity of the other end. Where the cloud gives the address, its service has it.
    fn with_peer(&self, command: ShellCommand, half: &HalfPlan) -> ShellCommand {
        let other = match self.far() {
            Far::Half(_) => self.half(half.half.other()).filter(|other| other.address.is_none()),
            Far::Peer(_) => None,
        };
        let Some(other) = other else {
            let (address, id) = self.peer_of(half);
            return command.words("--peer-address").value(address).words("--peer-id").value(id);
        };
        let column = match self.outer() {
            Outer::V4 => "vpn service show -f value -c external_v4_ip",
            Outer::V6 => "vpn service show -f value -c external_v6_ip",
        };
        let service = openstack(&other.region, column).operand(self.name().of("vpn_service"));
        command.words("--peer-address").output_of(&service).words("--peer-id").output_of(&service)
    }
}
