//! Spanish.

use super::{Template, Words};

pub(super) const SPANISH: Words = Words {
    tag: "es",
    confirmation: Template {
        subject: "¿Es este su buzón? Un certificado de {name}",
        text: "\
Alguien quiere un certificado de {name} para este buzón.

{asked}
Si fue usted, abra este enlace en el navegador donde lo pidió y pulse allí
el botón:

{link}

O escriba este código en la página o en el programa donde lo pidió:

    {code}

Ambos valen hasta el {until}.

Si no fue usted, no haga nada. No diga el código a nadie: quien se lo pida
quiere un certificado a nombre de usted.
",
    },
    certificate: Template {
        subject: "Su certificado de {name}",
        text: "\
Aquí está el certificado para este buzón.

  certificate.cer   el certificado solo
  certificate.p7c   el mismo con los certificados superiores, tal como lo
                    importan los programas de correo

Vale hasta el {ends}. Su clave privada nunca salió del
dispositivo que lo pidió; sin esa clave nadie puede usar estos archivos.
",
    },
    notice: Template {
        subject: "{name} ha emitido un certificado para su buzón",
        text: "\
{name} ha emitido un certificado para este buzón.

{asked}
Si fue usted, no hay nada que hacer. Guarde este correo: si la clave se
pierde o la roban, o si no fue usted, la página de este enlace revoca el
certificado:

{link}
",
    },
    signature: "{name}, {url}\nEste correo lo escribió una máquina; nadie lee las respuestas.\n",
    who_asked: "Quién lo pidió",
    their_key: "Su clave",
    serial_number: "N.º de serie",
    devices: &[("a browser", "un navegador"), ("a program", "un programa"), (" on ", " en "), (" an ", " un ")],
};
