//! What a merchant copies into his shop: the addresses of a tracking code and the ready pieces of HTML.

use serde::Serialize;

use super::catalog::Model;

/// Ready to paste; `ORDER_AMOUNT` and `ORDER_ID` are to be replaced by the shop's own template.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct Snippets {
    pub img: String,
    pub form: String,
    pub postback: String,
    pub tag: String,
}

/// The addresses of a tracking code.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct Addresses {
    pub pixel_url: String,
    pub form_url: String,
    pub postback_url: String,
}

/// The address of an affiliate's link.
pub fn link_url(public_base: &str, code: &str) -> String {
    format!("{public_base}/c/{code}")
}

/// The addresses of a tracking code.
pub fn addresses(public_base: &str, code: &str) -> Addresses {
    Addresses {
        pixel_url: format!("{public_base}/t/{code}.gif"),
        form_url: format!("{public_base}/t/{code}"),
        postback_url: format!("{public_base}/postback/{code}"),
    }
}

/// What the tag must know of a program.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct TagTerms {
    pub click_param: String,
    pub consent: bool,
    pub model: Model,
    pub window_days: i32,
}

impl TagTerms {
    /// As attributes of the script; what is usual is left out.
    fn attributes(&self) -> String {
        let mut text = format!(" data-param=\"{}\"", self.click_param);
        if self.window_days != 30 {
            text.push_str(&format!(" data-days=\"{}\"", self.window_days));
        }
        if self.model != Model::LastClick {
            text.push_str(&format!(" data-model=\"{}\"", self.model.code()));
        }
        if self.consent {
            text.push_str(" data-consent=\"ask\"");
        }
        text
    }
}

/// The snippets of a tracking code of a program.
pub fn snippets(public_base: &str, code: &str, program: &TagTerms) -> Snippets {
    let Addresses { pixel_url, form_url, postback_url } = addresses(public_base, code);
    let (click_param, attributes) = (&program.click_param, program.attributes());
    Snippets {
        img: format!(
            "<img src=\"{pixel_url}?amount=ORDER_AMOUNT&amp;id=ORDER_ID&amp;currency=CURRENCY\" \
             width=\"1\" height=\"1\" alt=\"\">"
        ),
        form: format!(
            "<form action=\"{form_url}\" method=\"post\">\n\
             \x20 <input type=\"hidden\" name=\"amount\" value=\"ORDER_AMOUNT\">\n\
             \x20 <input type=\"hidden\" name=\"id\" value=\"ORDER_ID\">\n\
             \x20 <input type=\"hidden\" name=\"currency\" value=\"CURRENCY\">\n\
             \x20 <input type=\"submit\" value=\"Continue\">\n</form>"
        ),
        postback: format!(
            "curl {postback_url} -H \"Authorization: Bearer $SECRET\" \\\n\
             \x20 -d amount=ORDER_AMOUNT -d id=ORDER_ID -d currency=CURRENCY -d {click_param}=CLICK_TOKEN"
        ),
        tag: format!("<script src=\"{public_base}/tag.js\"{attributes} defer></script>"),
    }
}
