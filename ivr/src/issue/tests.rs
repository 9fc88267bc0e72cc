//! From proof to certificate, with a power cut between any two steps.

mod cuts;
mod keys;
mod lists;
mod mailboxes;
mod stored;

use ca::{Issued, Prepared, Revoked, Serial};
use ivr_core::proof::ProvedNumber;
use time::Duration;
use x509_parser::prelude::{CertificateRevocationList, FromDer};

use super::*;
use crate::store::test_database::{TestDatabase, on_both_databases};
use crate::store::{intents, verifications};
use crate::verify::fixture::{NUMBER, SOURCE, Service, request};
use crate::verify::{Started, State};

impl Service {
    pub(super) fn parts(&self) -> &IssueParts {
        &self.issue.parts
    }

    /// A verification whose digits were typed right, in a process that dies at that moment.
    pub(super) async fn claimed(&self) -> Started {
        self.claimed_by(request()).await
    }

    /// The same by this key.
    pub(super) async fn claimed_by(&self, csr: Vec<u8>) -> Started {
        let started = self.try_start(NUMBER, SOURCE, Some(csr)).await.unwrap();
        let heard = self.call(started.code.expose()).await.heard.unwrap();
        let columns = self.database.store.columns();
        let secret = crate::verify::secret_sha256(started.secret.expose());
        let mut writer = self.database.store.begin().await.unwrap();
        let checked =
            verifications::check_read_back(started.id, &secret, &heard, self.now, columns, &mut writer).await.unwrap();
        assert_eq!(checked, verifications::Checked::Right);
        writer.commit().await.unwrap();
        started
    }

    /// What is to be issued for a claimed verification.
    pub(super) async fn wish(&self, started: &Started) -> wish::Wish {
        let columns = self.database.store.columns();
        let mut reader = self.database.store.read().await.unwrap();
        let job = verifications::to_issue(started.id, "issuing", columns, &mut reader).await.unwrap().unwrap();
        let (proof, _) = ProvedNumber::open(&job.proof, &job.number, &columns.keys().proof_key()).unwrap();
        verification::wish((&proof, self.now), &job, job.request.as_deref().unwrap(), self.now).unwrap()
    }

    pub(super) async fn intend(&self, wish: &wish::Wish) -> Prepared {
        wish::intend(self.parts(), wish, self.now).await.unwrap()
    }

    pub(super) async fn sign(&self, prepared: Prepared) -> Issued {
        wish::sign(self.parts(), prepared, self.now).await.unwrap()
    }

    pub(super) async fn all(&self) -> Vec<Certified> {
        self.issue.certificates(&CertificateFilter { limit: 100, ..Default::default() }, self.now).await.unwrap()
    }

    /// The serials of a list, its number checked against the last.
    pub(super) async fn listed(&self, issuing: Issuing) -> (u64, Vec<Revoked>) {
        let (der, _) = self.issue.crl(issuing, self.now).await.unwrap();
        let (_, list) = CertificateRevocationList::from_der(&der).unwrap();
        let number = u64::try_from(list.crl_number().unwrap()).unwrap();
        let entry = |entry: &x509_parser::revocation_list::RevokedCertificate<'_>| Revoked {
            serial: Serial::parse(&format!("{:040x}", entry.user_certificate)).unwrap(),
            at: entry.revocation_date.to_datetime(),
            reason: Reason::from_code(entry.reason_code().map_or(0, |(_, code)| code.0)).unwrap(),
        };
        (number, list.iter_revoked_certificates().map(entry).collect())
    }

    pub(super) async fn serials_listed(&self, issuing: Issuing) -> Vec<String> {
        self.listed(issuing).await.1.iter().map(|entry| entry.serial.hex()).collect()
    }

    pub(super) async fn open_intents(&self) -> usize {
        intents::open(&mut self.database.store.read().await.unwrap()).await.unwrap().len()
    }
}

fn der_of(certified: &Certified) -> Vec<u8> {
    let (_, pem) = x509_parser::pem::parse_x509_pem(certified.certificate_pem.as_bytes()).unwrap();
    pem.contents
}
