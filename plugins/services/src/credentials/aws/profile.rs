//! Keys in the credentials file of AWS's tools.

use std::path::PathBuf;

use configparser::ini::Ini;
use regent_core::config::Secret;
use regent_core::service::BoxFuture;
use serde::Deserialize;

use super::{Keys, Provider, Surroundings};
use crate::credentials::failure::{Failure, read_file};
use crate::credentials::given;

#[derive(Deserialize)]
pub(crate) struct WrittenProfile {
    path: Option<String>,
    profile: Option<String>,
    aws_region: Option<String>,
}

/// The file is read again each time, so keys can be replaced in place.
pub(super) struct FromProfile {
    pub(super) written: WrittenProfile,
    pub(super) surroundings: Surroundings,
}

impl FromProfile {
    async fn read(&self) -> Result<Keys, Failure> {
        let environment = &self.surroundings.environment;
        let path = given(self.written.path.clone()).or_else(|| environment.get("AWS_SHARED_CREDENTIALS_FILE"));
        let path = path.map_or_else(|| self.surroundings.home("credentials"), |path| Ok(PathBuf::from(path)))?;
        let profile = profile_name(self.written.profile.clone(), &self.surroundings);
        let file = read_ini("credentials file", &path).await;
        let file = file.map_err(|failure| failure.within("failed to read credentials file"))?;
        if !file.sections().contains(&profile) {
            return Err(Failure::config(format!("failed to get profile: section {profile:?} does not exist")));
        }
        let key = |name: &str| {
            let missing =
                || format!("profile {profile:?} in credentials file {} does not contain {name:?}", path.display());
            given(file.get(&profile, name)).ok_or_else(|| Failure::config(missing()))
        };
        Ok(Keys {
            access_key: key("aws_access_key_id")?,
            secret_key: Secret::new(key("aws_secret_access_key")?),
            session_token: Secret::new(file.get(&profile, "aws_session_token").unwrap_or_default()),
            region: self.surroundings.region(self.written.aws_region.as_deref())?,
        })
    }
}

impl Provider for FromProfile {
    fn keys(&self) -> BoxFuture<'_, Result<Keys, Failure>> {
        Box::pin(self.read())
    }
}

/// The configured profile, that of the environment, or the usual one.
pub(super) fn profile_name(configured: Option<String>, surroundings: &Surroundings) -> String {
    let profile = given(configured).or_else(|| surroundings.environment.get("AWS_PROFILE"));
    profile.unwrap_or_else(|| "default".to_owned())
}

/// Reads a file of AWS's tools.
pub(super) async fn read_ini(what: &'static str, path: &std::path::Path) -> Result<Ini, Failure> {
    let mut ini = Ini::new_cs();
    // What is wrong in it is not told by the parser's words, which quote the line.
    let text = read_file(what, path).await?;
    ini.read(text).map_err(|_| Failure::config(format!("{what} {} is no INI file", path.display())))?;
    Ok(ini)
}
