# Writes the configuration files of Keystone and of each region; sourced by `up` and `seed-scale`, not run.
# shellcheck shell=bash

configure_keystone() {
    cat > "$STATE/etc/keystone.conf" <<CONF
[DEFAULT]
log_file = $LOG/keystone.log
public_endpoint = ${AUTH_URL%/v3}/
[database]
connection = sqlite:///$STATE/db/keystone.db?timeout=30
[identity]
# These passwords guard nothing: the least work for each sign-in.
password_hash_rounds = 4
[auth]
methods = external,password,token,totp,application_credential
[token]
provider = fernet
expiration = 86400
[receipt]
# Instead of five minutes: tests wait for the end of one.
expiration = 10
[fernet_tokens]
key_repository = $STATE/fernet-keys
[fernet_receipts]
key_repository = $STATE/receipt-keys
[credential]
key_repository = $STATE/credential-keys
[cache]
enabled = true
backend = oslo_cache.dict
CONF
}

configure_region() { # configure_region NAME PORT
    local name=$1 port=$2 plugins=router,vpnaas page_limit=-1
    case $name in
        nz-wlg-2) plugins=router ;;
        "$SCALE_REGION") page_limit=100 ;;
    esac
    cat > "$STATE/etc/$name.conf.new" <<CONF
[DEFAULT]
log_file = $LOG/$name.log
host = $name
bind_host = 127.0.0.1
bind_port = $port
state_path = $STATE/tmp
api_paste_config = $VENV/etc/neutron/api-paste.ini
auth_strategy = keystone
core_plugin = ml2
service_plugins = $plugins
pagination_max_limit = $page_limit
transport_url = fake://
notify_nova_on_port_status_changes = false
notify_nova_on_port_data_changes = false
dhcp_agent_notification = false
router_distributed = false
[oslo_messaging_notifications]
driver = noop
[database]
connection = sqlite:///$STATE/db/$name.db?timeout=30
[ml2]
type_drivers = flat,vlan,local
tenant_network_types = local
mechanism_drivers = logger
extension_drivers = port_security
[ml2_type_flat]
flat_networks = *
[securitygroup]
enable_security_group = true
[service_providers]
service_provider = VPN:strongswan:neutron_vpnaas.services.vpn.service_drivers.ipsec.IPsecVPNDriver:default
[oslo_concurrency]
lock_path = $STATE/tmp
[keystone_authtoken]
www_authenticate_uri = ${AUTH_URL%/v3}
auth_url = ${AUTH_URL%/v3}
auth_type = password
project_domain_id = default
user_domain_id = default
project_name = service
username = neutron
password = $SERVICE_PASSWORD
interface = internal
service_token_roles_required = true
# A revoked token is refused at once, not only when Neutron has forgotten that it was good.
token_cache_time = -1
CONF
    mv "$STATE/etc/$name.conf.new" "$STATE/etc/$name.conf"
}
