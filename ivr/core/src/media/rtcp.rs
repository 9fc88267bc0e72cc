//! RTCP packets (RFC 3550 6): the compound that we send, and what we take from theirs. This file alone names rtcp-types.

use rtcp_types::prelude::*;
use rtcp_types::utils::parser;
use rtcp_types::{
    Bye, Compound, ReceiverReport, ReportBlock, ReportBlockBuilder, Sdes, SdesChunk, SdesItem, SenderReport,
};

/// What we say: a report, who says it, and perhaps a farewell.
#[derive(Debug)]
pub(crate) struct Statement<'a> {
    pub(crate) ssrc: u32,
    /// Of ourselves, if we sent something lately: a sender report, else a receiver report (6.4).
    pub(crate) sent: Option<Sent>,
    /// Of the source that we hear.
    pub(crate) heard: Option<Block>,
    pub(crate) cname: &'a str,
    /// With a BYE (6.6).
    pub(crate) parts: bool,
}

/// What a sender tells of itself (6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Seconds and, in the lower half, their fractions.
    pub(crate) ntp: u64,
    /// The same moment on the clock of the audio.
    pub(crate) timestamp: u32,
    pub(crate) packets: u32,
    pub(crate) octets: u32,
}

/// What somebody tells of a source that it hears (6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    /// The source.
    pub(crate) ssrc: u32,
    /// Since the last report, of 256.
    pub(crate) fraction_lost: u8,
    /// Since the beginning; negative if packets came twice. 24 bits.
    pub(crate) lost: i32,
    /// The highest sequence number, with the turns of the counter in the upper half.
    pub(crate) highest: u32,
    /// In samples.
    pub(crate) jitter: u32,
    /// The middle of the NTP time of the source's last report, 0 if there was none.
    pub(crate) last_report: u32,
    /// Since that one came, in units of 1/65536 s.
    pub(crate) delay: u32,
}

/// What a compound tells us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    /// Who says it.
    pub(crate) ssrc: u32,
    /// The middle of the NTP time of its report, if it sends audio.
    pub(crate) report: Option<u32>,
    /// What it says of us.
    pub(crate) of_us: Option<Block>,
}

impl Statement<'_> {
    /// Writes the compound and says how long it is.
    pub(crate) fn write(&self, packet: &mut [u8; REPORT_BYTES]) -> usize {
        let block = self.heard.map(Block::builder);
        let report = match self.sent {
            Some(sent) => {
                let report = SenderReport::builder(self.ssrc).ntp_timestamp(sent.ntp).rtp_timestamp(sent.timestamp);
                let report = report.packet_count(sent.packets).octet_count(sent.octets);
                let report = block.into_iter().fold(report, |report, block| report.add_report_block(block));
                Compound::builder().add_packet(report)
            }
            None => {
                let report = ReceiverReport::builder(self.ssrc);
                let report = block.into_iter().fold(report, |report, block| report.add_report_block(block));
                Compound::builder().add_packet(report)
            }
        };
        let name = SdesItem::builder(SdesItem::CNAME, self.cname);
        let named = report.add_packet(Sdes::builder().add_chunk(SdesChunk::builder(self.ssrc).add_item(name)));
        let whole = if self.parts { named.add_packet(Bye::builder().add_source(self.ssrc)) } else { named };
        whole.write_into(packet).expect("a report with one block and a short name fits")
    }
}

impl Block {
    fn builder(self) -> ReportBlockBuilder {
        ReportBlock::builder(self.ssrc)
            .fraction_lost(self.fraction_lost)
            .cumulative_lost(self.lost.cast_unsigned() & 0xff_ffff)
            .extended_sequence_number(self.highest)
            .interarrival_jitter(self.jitter)
            .last_sender_report_timestamp(self.last_report)
            .delay_since_last_sender_report_timestamp(self.delay)
    }

    fn of(block: &ReportBlock<'_>) -> Self {
        Self {
            ssrc: block.ssrc(),
            fraction_lost: block.fraction_lost(),
            // Its 24 bits have a sign.
            lost: (block.cumulative_lost() << 8).cast_signed() >> 8,
            highest: block.extended_sequence_number(),
            jitter: block.interarrival_jitter(),
            last_report: block.last_sender_report_timestamp(),
            delay: block.delay_since_last_sender_report_timestamp(),
        }
    }
}

impl Told {
    /// What a compound tells the source `ours`; `None` if it is none. Only reports are read: descriptions, farewells,
    /// what applications and extensions say are stepped over by their lengths.
    pub(crate) fn read(bytes: &[u8], ours: u32) -> Option<Self> {
        // RFC 3550 A.2: the lengths fill the datagram, a report comes first and is not padded.
        Compound::parse(bytes).ok().filter(|_| !parser::parse_padding_bit(bytes))?;
        let mut told: Option<Self> = None;
        let mut rest = bytes;
        while !rest.is_empty() {
            let (packet, behind) = rest.split_at_checked(parser::parse_length(rest))?;
            if parser::parse_version(packet) != VERSION {
                return None;
            }
            match (&mut told, Self::of(packet, ours)) {
                (None, first) => told = Some(first?),
                // More blocks than one report holds go into another of the same source (6.1).
                (Some(told), Some(more)) if more.ssrc == told.ssrc => told.of_us = told.of_us.or(more.of_us),
                (Some(_), _) => {}
            }
            rest = behind;
        }
        told
    }

    /// What one packet tells, if it is a report.
    fn of(packet: &[u8], ours: u32) -> Option<Self> {
        let of_us = |block: &ReportBlock<'_>| (block.ssrc() == ours).then(|| Block::of(block));
        match parser::parse_packet_type(packet) {
            SenderReport::PACKET_TYPE => {
                let report = SenderReport::parse(packet).ok()?;
                let middle = (report.ntp_timestamp() >> 16) & u64::from(u32::MAX);
                let of_us = report.report_blocks().find_map(|block| of_us(&block));
                Some(Self { ssrc: report.ssrc(), report: u32::try_from(middle).ok(), of_us })
            }
            ReceiverReport::PACKET_TYPE => {
                let report = ReceiverReport::parse(packet).ok()?;
                let of_us = report.report_blocks().find_map(|block| of_us(&block));
                Some(Self { ssrc: report.ssrc(), report: None, of_us })
            }
            _ => None,
        }
    }
}

/// Room for the longest of ours: 28 + 24 octets of report, 28 of name, 8 of farewell.
pub(crate) const REPORT_BYTES: usize = 88;
const VERSION: u8 = 2;

#[cfg(test)]
mod tests;
