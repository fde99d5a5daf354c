//! The text of a file as it was saved: UTF-8, with or without a byte-order mark. Anything else is named, with how to save it
//! again.

use super::values::encrypted_by;

/// The text, or why it cannot be read, and the line if that is known.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<String, (Option<usize>, String)> {
    let utf16 = if bytes.starts_with(&[0xff, 0xfe]) || nul_at(&bytes, 1) {
        Some("UTF-16LE")
    } else if bytes.starts_with(&[0xfe, 0xff]) || nul_at(&bytes, 0) {
        Some("UTF-16BE")
    } else {
        None
    };
    if let Some(from) = utf16 {
        let reason = format!(
            "the file is UTF-16, as PowerShell's > writes it; save it as UTF-8 (Out-File -Encoding utf8, or \
             iconv -f {from} -t UTF-8)"
        );
        return Err((None, reason));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].split(|byte| *byte == b'\n').count();
        let reason = "the file is not UTF-8 from here on, probably Latin-1 (Windows-1252); save it as UTF-8 \
                      (iconv -f WINDOWS-1252 -t UTF-8)";
        (Some(line), reason.to_owned())
    })?;
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    match encrypted_by(&text) {
        None => Ok(text),
        Some("Ansible Vault") => {
            let reason = "the whole file is encrypted by Ansible Vault; write what ansible-vault view shows of it into a \
                          file that only you may read, and name that in OS_CLIENT_CONFIG_FILE";
            Err((None, reason.to_owned()))
        }
        Some(by) => Err((None, format!("the whole file is encrypted by {by}; decrypt it first"))),
    }
}

/// Whether every second of the first bytes is a NUL.
fn nul_at(bytes: &[u8], offset: usize) -> bool {
    bytes.len() >= 8 && bytes[..8].chunks(2).all(|pair| pair[offset] == 0 && pair[1 - offset] != 0)
}
