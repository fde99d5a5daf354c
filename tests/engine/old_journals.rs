//! Journals of two formats that earlier releases wrote, of processes that were killed in the middle, each with what there was
//! in the cloud then: they are read, carried on to the end, and rolled back.

use osvpn::plan::file::PlanFile;
use osvpn::plan::{Labels, Profiles, Psk};
use tempfile::TempDir;

use super::fault_matrix::{all, id_of};
use super::*;

const POLICIES: &str = include_str!("journals_of_4eed408/creation-policies.json");
const SECOND_CONNECTION: &str = include_str!("journals_of_4eed408/creation-second-connection.json");
const SECOND_KEY: &str = include_str!("journals_of_4eed408/change-second-key.json");
const SUBNETS: &str = include_str!("journals_of_4eed408/change-subnets.json");
const DELETION: &str = include_str!("journals_of_4eed408/change-deletion.json");
/// The last before creations and changes had one format.
const LAST_POLICIES: &str = include_str!("journals_of_2a36e15/creation-policies.json");
const LAST_SUBNETS: &str = include_str!("journals_of_2a36e15/change-subnets.json");

/// A cloud as it was when the process was killed, and its journal.
struct Scene {
    site: Site,
    directory: TempDir,
    file: String,
    /// The plan of a creation.
    plan: Option<Plan>,
    /// How many objects there were before the VPN.
    before: (usize, usize),
}

impl Scene {
    async fn of(fixture: &str) -> Self {
        let limits = Limits { total: Duration::from_secs(2), settling: Duration::ZERO, ..site::limits() };
        let site = Site::limited(SimulatorSettings::default(), limits).await;
        let mut text = fixture.replace(": \"project\"", &format!(": \"{}\"", site.simulator.project_id()));
        let regions = [site.region("nz-hlz-1").await, site.region("nz-por-1").await];
        for ((_, inventory, _), half) in regions.iter().zip(["A", "B"]) {
            let routers = inventory.routers.iter().map(|router| (&router.name, &router.id));
            for (name, id) in routers.chain(inventory.subnets.iter().map(|subnet| (&subnet.name, &subnet.id))) {
                if ["border-router", "private-subnet", "db-subnet"].contains(&name.as_str()) {
                    text = text.replace(&format!("{name}-{half}"), id.as_str());
                }
            }
        }
        let scene: Value = serde_json::from_str(&text).unwrap();
        let known: Vec<osvpn::plan::Known<'_>> = regions
            .iter()
            .map(|(region, inventory, detail)| osvpn::plan::Known {
                region,
                inventory,
                detail: Some(detail),
                upgrades: None,
            })
            .collect();
        let plan = scene["journal"]["plan"].as_str().map(|plan| {
            let psk = Psk::parse(KEY).unwrap();
            let draft = PlanFile::parse(plan).unwrap().resolve(&known, &Profiles::built_in().unwrap(), psk).unwrap();
            let vpn = serde_json::from_value(scene["journal"]["vpn"].clone()).unwrap();
            Plan::check(draft, &known, &Labels::built_in().unwrap(), vpn).unwrap()
        });
        let before = counts(&site);
        for (region, collections) in scene["cloud"].as_object().unwrap() {
            for (collection, objects) in collections.as_object().unwrap() {
                for object in objects.as_array().unwrap() {
                    let mut object = object.clone();
                    if plan.is_some() && object.get("psk").is_some() {
                        object["psk"] = json!(KEY);
                    }
                    site.simulator.plant(region, collection, object).unwrap();
                }
            }
        }
        let directory = TempDir::new().unwrap();
        let file = scene["file"].as_str().unwrap().to_owned();
        std::fs::write(directory.path().join(&file), serde_json::to_string_pretty(&scene["journal"]).unwrap()).unwrap();
        Self { site, directory, file, plan, before }
    }

    fn path(&self) -> std::path::PathBuf {
        self.directory.path().join(&self.file)
    }

    /// The objects of the VPN in each region.
    fn made(&self) -> (usize, usize) {
        let (a, b) = counts(&self.site);
        (a - self.before.0, b - self.before.1)
    }

    /// Another process goes on with a creation.
    fn creation(&self) -> (Run, &Plan) {
        assert_eq!(stages(self.directory.path()), [Stage::Interrupted]);
        let plan = self.plan.as_ref().unwrap();
        (Run::resumed(&self.path(), plan, self.site.cloud.limits()), plan)
    }

    /// Another process goes on with a change, or rolls it back.
    async fn change(&self, is_back: bool) -> Result<Changed, ChangeError> {
        let (events, _received) = unbounded_channel::<Event>();
        let stop = CancellationToken::new();
        let work = Work::new(&self.site.cloud, &events, &stop);
        let mut changing = Changing::open(&self.path()).unwrap();
        assert!(changing.is_of(&self.site.cloud));
        let mut tries = 0;
        loop {
            let ended = if is_back { changing.roll_back(&work).await } else { changing.carry_out(None, &work).await };
            tries += 1;
            match ended {
                // The journal says that a request was in progress, which may take effect for some seconds.
                Ok(Changed::Unsettled(..)) if tries < 1000 => tokio::time::sleep(Duration::from_millis(10)).await,
                ended => return ended,
            }
        }
    }

    fn ids(&self) -> Vec<String> {
        all(&self.site).iter().map(|(.., object)| id_of(object)).collect()
    }

    fn has_journal(&self) -> bool {
        self.path().exists()
    }
}

#[tokio::test]
async fn a_creation_that_an_earlier_release_began_is_finished_and_rolled_back() {
    for fixture in [POLICIES, SECOND_CONNECTION, LAST_POLICIES] {
        let scene = Scene::of(fixture).await;
        let there = scene.ids();
        let (mut run, plan) = scene.creation();
        run.create(&scene.site, plan).await.unwrap();
        assert_eq!(scene.made(), (6, 6), "each object once");
        assert_eq!(run.progress().objects().count(), 12);
        assert!(there.iter().all(|id| scene.ids().contains(id)), "what was there is used");
        drop(run);

        let scene = Scene::of(fixture).await;
        let (mut run, plan) = scene.creation();
        let mut tries = 0;
        while run.undo(&scene.site, plan).await != Ok(Changed::Done) {
            tries += 1;
            assert!(tries < 1000);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!((scene.made(), scene.has_journal()), ((0, 0), false));
    }
}

#[tokio::test]
async fn a_change_that_an_earlier_release_began_is_finished() {
    for fixture in [SECOND_KEY, SUBNETS, DELETION, LAST_SUBNETS] {
        let scene = Scene::of(fixture).await;
        assert_eq!(scene.change(false).await, Ok(Changed::Done));
        let left = if fixture == DELETION { (0, 0) } else { (6, 6) };
        assert_eq!((scene.made(), scene.has_journal()), (left, false));
        if fixture == SECOND_KEY {
            let keys: Vec<Value> = all(&scene.site)
                .into_iter()
                .filter(|(.., object)| object["name"] == "hlz-por_vpn_site_connection")
                .map(|(.., object)| object["psk"].clone())
                .collect();
            assert!(keys.len() == 2 && keys[0] == keys[1], "both halves have the key that the first one got");
        }
    }
}

#[tokio::test]
async fn a_change_that_an_earlier_release_began_is_rolled_back_if_that_can_be_done() {
    for fixture in [SUBNETS, LAST_SUBNETS] {
        let scene = Scene::of(fixture).await;
        assert_eq!(scene.change(true).await, Ok(Changed::Done));
        assert_eq!((scene.made(), scene.has_journal()), ((6, 6), false));
    }
    for fixture in [SECOND_KEY, DELETION] {
        let scene = Scene::of(fixture).await;
        let there = scene.ids();
        assert_eq!(scene.change(true).await, Err(ChangeError::TooLate));
        assert_eq!((scene.ids(), scene.has_journal()), (there, true));
    }
}
