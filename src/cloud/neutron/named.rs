//! Reads what a plan needs of a region: routers and subnets by what the plan calls them, and nothing of the others.

use futures::future::try_join_all;
use ipnet::IpNet;

use super::{By, unless_absent};
use crate::cloud::error::Error;
use crate::cloud::inventory::{Detail, Id, Interfaces, Inventory, Router, Subnet};
use crate::cloud::keystone::Region;
use crate::cloud::request::Kind;

impl Region {
    /// As [`Self::inventory`], but of routers and subnets only those that are called so, by id, name or range, with their
    /// interfaces, and the other subnets that these routers stand on. What is not there is left out.
    pub(crate) async fn inventory_of(&self, routers: &[&str], subnets: &[&str]) -> Result<Inventory, Error> {
        let (extensions, routers, named, services, connections) = tokio::join!(
            self.extensions(),
            self.routers_called(routers),
            self.subnets_called(subnets),
            self.fit_vpn(Kind::VpnService),
            self.fit_vpn(Kind::SiteConnection),
        );
        let (routers, named) = (routers?, named?);
        let others: Vec<&Id> = routers
            .iter()
            .flat_map(|router| router.interfaces.iter().flat_map(Interfaces::iter))
            .map(|interface| &interface.subnet)
            .filter(|id| named.iter().all(|subnet| subnet.id != **id))
            .collect();
        let mut all = self.subnets(By::Id, &others).await?;
        all.extend(named);
        all.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        all.dedup_by(|a, b| a.id == b.id);
        self.inventory_from(extensions?, services, connections, routers, (all, Vec::new()), Vec::new())
    }

    /// As [`Self::detail`], without the names of networks, which no plan needs.
    pub(crate) async fn room(&self) -> Result<Detail, Error> {
        let (groups, quotas) = tokio::join!(self.groups(), self.quotas());
        Ok(Detail { groups: unless_absent(groups, true)?, quotas, ..Detail::default() })
    }

    /// The interfaces of a router that is named by its id are asked for at once.
    async fn routers_called(&self, wanted: &[&str]) -> Result<Vec<Router>, Error> {
        let (ids, names) = split(wanted);
        let ids: Vec<Id> = ids.into_iter().map(Id::new).collect();
        let by_name = async {
            let routers = self.routers(By::Name, &names).await?;
            let interfaces =
                self.interfaces(&routers.iter().map(|router| router.id.clone()).collect::<Vec<_>>()).await?;
            Ok((routers, interfaces))
        };
        let ((mut routers, mut interfaces), by_id, read) =
            tokio::try_join!(by_name, self.routers(By::Id, &ids), self.interfaces(&ids))?;
        routers.extend(by_id);
        interfaces.extend(read);
        for router in &mut routers {
            router.interfaces = interfaces.remove(&router.id);
        }
        Ok(routers)
    }

    /// The subnets that are called so, by id, name or range.
    pub(crate) async fn subnets_called(&self, wanted: &[&str]) -> Result<Vec<Subnet>, Error> {
        let (ids, names) = split(wanted);
        let ranges: Vec<String> =
            names.iter().filter_map(|name| name.parse::<IpNet>().ok()).map(|range| range.to_string()).collect();
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
        let by = [(By::Id, &ids), (By::Name, &names), (By::Cidr, &ranges)];
        let found = try_join_all(by.map(|(by, values)| self.subnets(by, values))).await?;
        Ok(found.into_iter().flatten().collect())
    }
}

/// The ids among what is wanted, and the names. An empty name is no filter.
fn split<'a>(wanted: &[&'a str]) -> (Vec<&'a str>, Vec<&'a str>) {
    wanted.iter().filter(|word| !word.is_empty()).partition(|word| is_id(word))
}

/// Whether it has the form of Neutron's ids.
fn is_id(word: &str) -> bool {
    let groups: Vec<usize> = word.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && word.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}
