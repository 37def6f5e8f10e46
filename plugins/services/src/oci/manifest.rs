//! Manifests and indexes: what of them tells where the bundle is.

use serde::Deserialize;

use super::failure::Failure;
use super::reference::Digest;

/// The type of the layer that is a bundle.
pub(super) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// What is asked for: manifests and indexes of both families.
pub(super) const TYPES: &str = "application/vnd.oci.image.manifest.v1+json, \
                                application/vnd.oci.image.index.v1+json, \
                                application/vnd.docker.distribution.manifest.v2+json, \
                                application/vnd.docker.distribution.manifest.list.v2+json";

/// The types of indexes.
const INDEXES: [&str; 2] =
    ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];

/// A manifest as something names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) digest: Digest,
    /// How many bytes it has, if that was said.
    pub(super) size: Option<u64>,
    /// Its type, if that was said.
    pub(super) media_type: Option<String>,
}

/// The layer that is the bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layer {
    pub(super) digest: Digest,
    pub(super) size: u64,
}

/// What a manifest comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Manifest {
    /// The layer that is a bundle; without one, why there is none.
    Image(Result<Layer, NoLayer>),
    /// Manifests to choose from, in order.
    Index(Vec<Named>),
}

/// Why an image holds no bundle.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoLayer {
    NoLayers,
    NoTarball,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    media_type: Option<String>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    size: u64,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    os: Option<String>,
    architecture: Option<String>,
}

impl Manifest {
    /// Reads a manifest or an index of the type, if one was said.
    pub(super) fn read(content: &[u8], media_type: Option<&str>) -> Result<Self, Failure> {
        let document: Document =
            serde_json::from_slice(content).map_err(|error| Failure::Manifest(error.to_string()))?;
        // One text that two readers understand in two ways, of which a signature covers both.
        if document.layers.is_some() && document.manifests.is_some() {
            return Err(Failure::Manifest("it is both an image and an index".to_owned()));
        }
        let said = media_type.or(document.media_type.as_deref()).unwrap_or_default();
        if document.manifests.is_some() || INDEXES.contains(&said) {
            let entries = document.manifests.unwrap_or_default();
            return entries.into_iter().filter(|entry| !entry.is_attestation()).map(Descriptor::named).collect();
        }
        image(document.layers.unwrap_or_default())
    }
}

impl FromIterator<Named> for Manifest {
    fn from_iter<T: IntoIterator<Item = Named>>(entries: T) -> Self {
        Self::Index(entries.into_iter().collect())
    }
}

fn image(layers: Vec<Descriptor>) -> Result<Manifest, Failure> {
    if layers.is_empty() {
        return Ok(Manifest::Image(Err(NoLayer::NoLayers)));
    }
    let Some(found) = layers.into_iter().find(|layer| layer.media_type == LAYER) else {
        return Ok(Manifest::Image(Err(NoLayer::NoTarball)));
    };
    let digest = Digest::read(&found.digest).ok_or(Failure::InvalidDigest(found.digest))?;
    Ok(Manifest::Image(Ok(Layer { digest, size: found.size })))
}

impl Descriptor {
    /// Whether it is a statement about another manifest, as `docker buildx` adds them.
    fn is_attestation(&self) -> bool {
        let unknown = Some("unknown");
        self.platform.as_ref().is_some_and(|it| it.os.as_deref() == unknown && it.architecture.as_deref() == unknown)
    }

    fn named(self) -> Result<Named, Failure> {
        let digest = Digest::read(&self.digest).ok_or(Failure::InvalidDigest(self.digest))?;
        let media_type = Some(self.media_type).filter(|text| !text.is_empty());
        Ok(Named { digest, size: Some(self.size), media_type })
    }
}
