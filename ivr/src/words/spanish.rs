//! Spanish.

use ivr_core::number::{Kind, NumberError};

use super::{Text, Words};
use crate::verify::State;

pub(super) const SPANISH: Words = Words {
    tag: "es",
    name: "Español",
    months: [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
    kind,
    number,
    state,
    step,
    date: Text("{day} de {month} de {year}, {time} UTC"),

    skip: Text("Ir al contenido"),
    demonstration: Text("Demostración: lo que certifica no vale nada fuera de este equipo."),
    how_it_works: Text("Cómo funciona y cómo buscar a alguien"),

    please_check: Text("Revise los datos"),
    verify_your_number: Text("Verifique su número de teléfono"),
    start_lead: Text(
        "Usted nos llama desde él, marca un código y recibe un certificado que dice que el número es suyo. La llamada es todo lo que pedimos: ni cuenta ni mensaje de texto.",
    ),
    start_change: Text("Hay que cambiar algo antes de continuar."),
    work: Text("Ahora mismo empiezan muchas personas, por eso su navegador tiene que trabajar unos segundos."),
    work_goes_on: Text("Después continúa solo."),
    work_again: Text("Elija de nuevo su archivo, si envió uno, y continúe."),
    work_progress: Text("Avance probable del trabajo"),
    work_needs_scripts: Text(
        "Para eso hacen falta scripts, que están desactivados en este navegador: inténtelo de nuevo dentro de unos minutos.",
    ),
    telephone_number: Text("Número de teléfono"),
    number_help: Text("Con + y el prefijo del país, por ejemplo +1 202 555 0143."),
    number_without_country: Text("Sin él, se lee como un número de {country}."),
    did_you_mean: Text("¿Quiso decir {number}?"),
    read_as: Text("Lo leemos como {number}. Si es correcto, continúe."),
    own_number: Text(
        "Es uno de nuestros números, al que se llama para verificarse. Escriba el número desde el que llama.",
    ),
    result_is_signed: Text("Su número está demostrado. Se está firmando el resultado."),
    demo_directory: Text("un anillo privado dentro de esta demostración"),
    publish_question: Text("¿Pueden otros encontrar su certificado por su número?"),
    publish_yes: Text(
        "<b>Sí, publíquenlo.</b> Quien conozca su número puede buscar su certificado en un directorio público y ver que existe.",
    ),
    publish_no: Text(
        "<b>No, entréguenmelo solo a mí.</b> Nada sobre usted entra en el directorio, y un registro anterior se retira.",
    ),
    publish_hint: Text("Elija una de las dos opciones."),
    neither: Text(
        "Sin ninguna de las dos cosas, recibe una declaración firmada de que el número es suyo, y ningún certificado.",
    ),
    browser_key: Text("Su navegador crea la clave. No sale de este dispositivo."),
    browser_key_fails: Text("Este navegador no puede crear una clave: use una propia."),
    go_on: Text("Continuar"),
    verify_an_address: Text("¿No tiene un teléfono a mano? <a href=\"/email\">Verifique una dirección de correo</a>."),
    which_language: Text("Idioma de estas páginas y, después del código, de la voz"),
    own_key: Text("Usar una clave propia"),
    own_key_make: Text(
        "Cree una clave y una solicitud con OpenSSL, y denos la solicitud (<code>request.pem</code>), nunca la clave:",
    ),
    own_key_paste: Text("Pegue la solicitud"),
    own_key_file: Text("O elija su archivo"),

    call: Text("Llame al {number}"),
    type_the_digits: Text("Escriba las cifras"),
    call_us_from: Text("Llámenos desde <span class=\"number\">{number}</span>"),
    not_your_number: Text("¿No es su número? <a href=\"/\">Empiece de nuevo</a>."),
    what_to_dial: Text("Qué marcar"),
    dial_this: Text("Marque usted mismo este número"),
    key_in: Text("Después, cuando la voz lo pida, marque"),
    qr: Text("Código QR con el número que hay que marcar, sin el código"),
    scan: Text("Escanee para marcar"),
    softphone: Text(
        "Un teléfono por internet marca <code>sip:{dial}@{sip}</code> y se presenta como <code>{number}</code>.",
    ),
    simulate: Text(
        "O deje que la demostración se llame a sí misma, con una llamada de verdad. Esta página la sigue desde el código correcto, unos 20 segundos después de empezar, y quien llama también escribe las cifras. Los intentos fallidos no cambian nada aquí; la consola los muestra.",
    ),
    simulate_call: Text("Simular la llamada"),
    simulate_wrong_code: Text("Una llamada con códigos incorrectos"),
    simulate_spoof: Text("Una llamada desde otro número"),
    simulate_hang_up: Text("Una llamada que cuelga antes de tiempo"),
    simulate_in_vain: Text("Ya hay una llamada en curso para esta verificación. Otra podrá empezar cuando termine."),
    digits_label: Text("Las seis cifras que lee la voz"),
    confirm: Text("Confirmar"),
    digits_help: Text(
        "Escríbalas solo aquí, y solo si usted mismo abrió esta página. Valen 90 segundos desde la primera palabra de la voz.",
    ),
    digits_missing: Text("Escriba las seis cifras que lee la voz."),
    digits_wrong_once: Text("Esas no son las cifras. Puede intentarlo una vez más."),
    digits_wrong: Text("Esas no son las cifras. Puede intentarlo {count} veces más."),
    step_call: Text("Llame al número."),
    step_code: Text("Después de la advertencia, marque el código."),
    step_confirm: Text("Pulse la tecla que nombra la voz."),
    step_digits: Text("Escriba las seis cifras que le lee la voz."),
    step_hear: Text("Oiga que ha funcionado."),
    step_certificate: Text("Se crea su certificado."),
    step_result: Text("Se firma su resultado."),
    we_wait: Text("Esperamos su llamada."),
    remedy: Text(
        "Si está al teléfono, siga: esta página avanza cuando su código es correcto. Si su llamada no fue atendida, quizá su número esté oculto: marque <b>*31#</b> (la mayoría de las redes móviles) o <b>*82</b> (Norteamérica) antes del número, o active la identificación de llamada en los ajustes del teléfono.",
    ),
    good_until: Text("El código vale hasta las"),
    minutes_left: Text(", {minutes} minutos más"),
    time_left: Text(", {time} más"),
    stop: Text("Detener"),

    not_verified: Text("El número {number} no fue verificado."),
    what_happened: Text("Qué ocurrió"),
    start_again: Text("Empezar de nuevo"),
    voided: Text("Demasiadas cifras incorrectas"),
    voided_why: Text(
        "Se escribieron cifras incorrectas demasiadas veces, por eso esta verificación queda anulada. Si otra persona le dijo que llamara, no empiece de nuevo.",
    ),
    expired: Text("Se acabó el tiempo"),
    expired_why: Text(
        "No llegó a tiempo ninguna llamada con el código correcto, o sus cifras no se escribieron a tiempo. El código ya no funciona.",
    ),
    failed: Text("No funcionó"),
    failed_why: Text("No se pudo crear el certificado."),

    verified: Text("Verificado"),
    is_verified: Text("Verificación correcta: <span class=\"{class}\">{name}</span>"),
    result_lead: Text(
        "Usted no dio ninguna solicitud de certificado, por eso no hay certificado. Esta es nuestra declaración firmada (un JWS, que se comprueba con las <a href=\"/.well-known/jwks.json\">claves de este servicio</a>):",
    ),
    result_label: Text("Declaración firmada"),
    your_certificate: Text("Su certificado"),
    was_revoked: Text("Este certificado fue revocado el {day}."),
    was_suspended: Text(
        "Una llamada desde su número suspendió este certificado el {day}. Si <a href=\"/key\">su clave no lo levanta</a> en el plazo de un día, queda revocado.",
    ),
    pending: Text(
        "El {since} se demostró otra clave para este número. Ocupará el lugar de la suya el {until} si usted no la detiene",
    ),
    pending_call: Text(
        ": llame al {dial} desde su número, no marque ningún código si se lo piden, pulse 9 al final y después la cifra que se nombre. Eso suspende también su propio certificado hasta que su clave lo levante",
    ),
    pending_key: Text(
        ". <a href=\"/key\">Su clave puede detenerla</a> por sí sola: la clave que espera es <code class=\"long\">{key}</code>.",
    ),
    level: Text("Nivel"),
    code_only: Text("Solo se pidió un código, y no se leyeron cifras."),
    no_higher: Text("No es más alto: {cap}"),
    valid: Text("Validez"),
    from_until: Text("del {from} al {until}"),
    serial_number: Text("Número de serie"),
    directory: Text("Directorio"),
    superseded: Text("Otro certificado ocupó el lugar de este."),
    not_published: Text("No publicado, como usted pidió."),
    p12: Text("Clave y certificado en un solo archivo"),
    p12_lead: Text(
        "Su clave está en este navegador. Elija una contraseña y guarde el archivo: se abre en programas de correo y sistemas operativos.",
    ),
    password: Text("Contraseña"),
    p12_button: Text("Descargar .p12"),
    p12_making: Text("Creando el archivo …"),
    p12_done: Text("Listo. El archivo está entre sus descargas, y este navegador olvida la clave cuando usted sale."),
    p12_lost: Text(
        "La clave de este certificado ya no está en este navegador. Si la guardó, use ese archivo. Si no, está perdida, y puede empezar de nuevo.",
    ),
    p12_elsewhere: Text("Su clave está donde usted la creó. El certificado está más abajo."),
    certificate: Text("Certificado"),
    download_pem: Text("Descargar PEM"),
    show_it: Text("Mostrarlo"),
    certificate_label: Text("El certificado, PEM"),
    chain_label: Text("El certificado intermedio, PEM"),
    look_me_up: Text("Buscarme"),
    look_up_number: Text(
        "Quien conozca su número encuentra el certificado con el <a href=\"/ca/bundle.pem\" download>paquete de este servicio</a>, cuya raíz tiene la huella <code class=\"long\">{fingerprint}</code>:",
    ),
    look_up_address: Text(
        "Quien conozca su dirección encuentra el certificado con el <a href=\"/ca/bundle.pem\" download>paquete de este servicio</a>, cuya raíz tiene la huella <code class=\"long\">{fingerprint}</code>:",
    ),
    command_line: Text("Línea de órdenes"),
    withdraw_lead: Text(
        "Si no quiere que le encuentren más, retire el registro del directorio. Su certificado sigue siendo válido; para que le encuentren otra vez, verifique el número de nuevo.",
    ),
    withdraw: Text("Retirarlo del directorio"),
    withdraw_renewed: Text(
        "Si su dispositivo renovó este certificado con la misma llamada, puede retirar del directorio el registro del nuevo.",
    ),
    record_leaves: Text("El registro se está retirando del directorio."),
    record_revoked: Text("Revocado: el directorio dice que no hay certificado."),
    record_withdrawn: Text("Retirado: el directorio dice que no hay certificado."),
    record_comes: Text("Emitido, publicándose: el registro va camino del directorio."),
    record_published: Text("Publicado en {place}"),
    record_published_somewhere: Text("Publicado en el directorio"),
    record_slot: Text(", lugar {slot}"),
    record_bytes: Text(", {bytes} octetos"),

    waiting: Text("En espera"),
    held: Text("<span class=\"number\">{number}</span> está demostrado, y su nueva clave espera"),
    held_until: Text(
        "Hace poco se certificó otra clave para este número. Para que nadie quite un número a su dueño sin ser visto, la suya espera hasta el <b>{until}</b>. Entonces se crea el certificado, y esta página lo muestra: guarde la página o vuelva con este navegador.",
    ),
    held_meanwhile: Text(
        "Mientras tanto, quien busca el número ve que otra clave espera, y el dueño de la clave antigua puede detenerla. Nada lo acelera salvo la clave antigua.",
    ),
    held_unexpected: Text(
        "Si no lo esperaba, otra persona tiene un certificado de su número. Renuncie a esto, llame al {dial} desde su número, no marque ningún código, pulse 9 al final y después la cifra que se nombre: eso suspende lo que existe para él.",
    ),
    old_key: Text("¿Tiene la clave antigua?"),
    old_key_signs: Text("Que la clave antigua firme por la nueva"),
    or_give_up: Text("O renunciar"),
    give_up: Text("Renunciar"),
    not_signed: Text("Esto no está firmado por la clave del certificado vigente. Elija esa clave."),

    speak: Text("Hablar con su clave"),
    speak_title: Text("Hable con la clave de su certificado"),
    speak_lead: Text(
        "Quien tiene la clave del certificado de un número puede levantar su suspensión, retirar su registro del directorio o detener otra clave que espera para el número: con una firma, sin llamar.",
    ),
    what_it_says: Text("Qué dice"),
    lift: Text("Levantar la suspensión del certificado."),
    take_out: Text("Retirar el registro del directorio. El certificado sigue siendo válido."),
    veto: Text("Detener la clave que espera."),
    waiting_key: Text("La clave que hay que detener"),
    waiting_key_help: Text(
        "64 cifras y letras, como las muestra la página de su certificado. Solo para la última de las tres.",
    ),
    sign: Text("Firmar y enviar"),
    key_file: Text("Su certificado y su clave, PEM"),
    key_file_help: Text(
        "El archivo se queda en este navegador; se envía una firma. A partir del .p12 que guardó: <code>openssl pkcs12 -in FILE.p12 -nodes -out key.pem</code>. Bórrelo después.",
    ),
    key_file_needs_scripts: Text(
        "Para esto hacen falta scripts, que están desactivados en este navegador. La API acepta lo que produce <code>openssl dgst -sha256 -sign</code>.",
    ),
    key_missing: Text("En este archivo no hay ninguna clave sin cifrar en PKCS#8 PEM."),
    key_unusable: Text("Este navegador no puede usar este tipo de clave."),
    key_uncertified: Text("El certificado de esta clave no está en este archivo: elija los dos."),
    key_sent: Text("Enviado."),
    key_done: Text("Listo: el directorio y la lista de revocación siguen en unos minutos."),

    verify_your_address: Text("Verifique su dirección de correo"),
    address_lead: Text(
        "Enviamos un enlace y un código a su buzón. Usted confirma aquí, y el certificado llega por correo. Dice menos que el de un número de teléfono: nivel L0.",
    ),
    email_address: Text("Dirección de correo"),
    publish_question_address: Text("¿Pueden otros encontrar su certificado por su dirección?"),
    publish_yes_address: Text(
        "<b>Sí, publíquenlo.</b> Quien conozca su dirección puede buscar su certificado en un directorio público y ver que existe.",
    ),
    verify_a_number: Text("¿Tiene un teléfono a mano? <a href=\"/\">Verifique su número</a>."),
    key_is_needed: Text("Un certificado necesita una clave: deje que el navegador cree una o dé una solicitud."),

    look_into_mailbox: Text("Mire en su buzón"),
    making_certificate: Text("Se crea su certificado"),
    making_lead: Text("Usted confirmó. Se está creando el certificado; esta página lo muestra en un momento."),
    mail_comes: Text(
        "Un correo va camino de <b class=\"long\">{address}</b>, salvo que ya hayamos escrito allí a menudo. Abra su enlace en este navegador o escriba aquí su código.",
    ),
    not_your_address: Text("¿No es su dirección? <a href=\"/email\">Empiece de nuevo</a>."),
    mail_is_here: Text("En esta demostración <a href=\"/demo/mail\">el correo está aquí</a>."),
    mail_code: Text("El código del correo"),
    mail_code_help: Text("Ocho letras y cifras. Escríbalo solo aquí, y solo si usted mismo empezó esto."),
    mail_code_missing: Text("Un código tiene ocho letras y cifras, como en el correo."),
    mail_code_wrong_once: Text("Este no es el código del correo; puede intentarlo una vez más."),
    mail_code_wrong: Text("Este no es el código del correo; puede intentarlo {count} veces más."),
    your_key: Text("Su clave"),
    mail_good_until: Text("Vale hasta"),
    same_key: Text("El correo nombra la misma clave: así sabe que trata de este pedido."),

    address_not_verified: Text("La dirección <span class=\"long\">{address}</span> no fue verificada."),
    mail_voided: Text("Demasiados códigos incorrectos"),
    mail_voided_why: Text(
        "El código fue incorrecto cinco veces, por eso este pedido queda anulado. Si el correo es suyo, empiece de nuevo.",
    ),
    mail_expired_why: Text("Nadie usó el enlace ni el código en el plazo de un día. Ninguno de los dos funciona ya."),

    certificate_for: Text("Un certificado para <span class=\"long\">{address}</span>"),
    who_asked: Text("Quién lo pidió"),
    when_asked: Text("Cuándo"),
    their_key: Text("La clave de quien lo pidió"),
    not_in_this_browser: Text(
        "<b>No en este navegador.</b> El certificado se pidió en otro lugar, por eso no se puede confirmar aquí. Si fue usted, escriba allí este código:",
    ),
    asked_elsewhere: Text(
        "Si no fue usted, no haga nada y no diga el código a nadie: quien se lo pida quiere un certificado a nombre de usted.",
    ),
    asked_here: Text("Usted lo pidió en este navegador. Un paso más:"),
    make_it: Text("Sí, crear el certificado"),
    confirmed_already: Text("Ya está confirmado"),
    confirmed_already_why: Text("Este enlace ya se usó. El certificado está en su buzón o en camino."),
    link_is_dead: Text("Este enlace ya no funciona"),
    link_is_dead_why: Text(
        "Se acabó su tiempo, o el código fue incorrecto demasiadas veces. Si aún quiere un certificado, empiece de nuevo.",
    ),

    revoke_title: Text("Revocar un certificado"),
    the_certificate_for: Text("El certificado para <span class=\"long\">{address}</span>"),
    revoked_on: Text("Fue revocado el {day}. Quien lo busque lo sabe."),
    key: Text("Clave"),
    valid_until: Text("Válido hasta"),
    why_revoke: Text("¿Por qué se debe revocar?"),
    not_me: Text("No lo pedí yo."),
    key_lost: Text("Su clave se perdió o fue robada. Esa clave nunca se certifica de nuevo."),
    not_wanted: Text("Ya no lo quiero."),
    choose_a_reason: Text("Elija un motivo."),
    cannot_be_undone: Text("Esto no se puede deshacer."),
    revoke_it: Text("Revocarlo"),

    about_title: Text("Cómo funciona"),
    about_number: Text("Usted dice su número; su navegador crea una clave."),
    about_call: Text(
        "Usted nos llama desde ese número. Su compañía telefónica nos dice quién llama, por eso un número oculto no se puede verificar.",
    ),
    about_code: Text("Marca el código de su pantalla y pulsa una tecla que nombra la voz."),
    about_digits: Text("La voz lee seis cifras. Las escribe en la página y recibe el certificado."),
    about_scam: Text(
        "<b>Si alguien le pidió que llamara, cuelgue: es una estafa.</b> Quien reciba sus cifras puede hacerse pasar por su número.",
    ),
    look_up: Text("Buscar a alguien"),
    look_up_lead: Text(
        "Los certificados que sus dueños publicaron están en {directory}. Con el <a href=\"/ca/bundle.pem\" download>paquete de este servicio</a> y un número, cualquiera puede encontrar y comprobar uno:",
    ),
    look_up_fingerprint: Text("Compare la huella de la raíz del paquete con una que haya recibido por otra vía:"),
    about_key: Text(
        "Con su clave puede <a href=\"/key\">levantar una suspensión, retirar el registro o detener otra clave</a>.",
    ),
    about_programs: Text("Para programas"),
    about_api: Text("<a href=\"/openapi.json\">Descripción de la API</a> en <code>{url}/v1</code>"),
    about_revoked: Text(
        "Certificados revocados: <a href=\"/ca/tel.crl\">de números</a>, <a href=\"/ca/email.crl\">de direcciones de correo</a>",
    ),
    about_keys: Text("<a href=\"/.well-known/jwks.json\">Claves de las declaraciones firmadas</a>"),
};

fn kind(kind: Kind) -> Text {
    Text(match kind {
        Kind::Subscriber => "Es una línea fija o móvil.",
        Kind::Voip => "Es un número de telefonía por internet y no se puede verificar. Use una línea fija o móvil.",
        Kind::Personal => "Es un número personal y no se puede verificar. Use una línea fija o móvil.",
        Kind::TollFree => "Es un número gratuito y no se puede verificar. Use una línea fija o móvil.",
        Kind::Premium => "Es un número de tarificación especial y no se puede verificar. Use una línea fija o móvil.",
        Kind::SharedCost => "Es un número de coste compartido y no se puede verificar. Use una línea fija o móvil.",
        Kind::UniversalAccess => {
            "Es el número único de una empresa y no se puede verificar. Use una línea fija o móvil."
        }
        Kind::Pager => "Es un buscapersonas y no se puede verificar. Use una línea fija o móvil.",
        Kind::Voicemail => "Es un número de buzón de voz y no se puede verificar. Use una línea fija o móvil.",
    })
}

fn number(error: &NumberError) -> Text {
    Text(match error {
        NumberError::NotDigits => "Un número se escribe con + y cifras, primero el prefijo del país.",
        NumberError::NoCountry => "Falta el prefijo del país: escriba primero + y el prefijo.",
        NumberError::TooShort => "El número es demasiado corto para ser una línea telefónica con su prefijo de país.",
        NumberError::TooLong => "El número tiene más de 15 cifras.",
        NumberError::Unassigned => "Ningún plan de numeración tiene este número.",
        NumberError::Misspelled { .. } => "El número tiene una cifra de más o de menos.",
    })
}

fn state(state: State) -> &'static str {
    match state {
        State::Waiting => "Esperamos su llamada.",
        State::Calling => "El código se marcó en el teléfono.",
        State::ReadBack => "La voz está leyendo seis cifras. Escríbalas aquí.",
        State::Issuing => "Su número está demostrado. Se está creando el certificado.",
        State::Held => {
            "Su número está demostrado, pero hace poco se certificó otra clave para él: esta tiene que esperar."
        }
        State::Issued => "Listo.",
        State::Voided => "Demasiadas cifras incorrectas: esta verificación queda anulada. Empiece de nuevo.",
        State::Expired => "Esta verificación ha terminado. Empiece de nuevo.",
        State::Failed => "No se pudo terminar.",
    }
}

fn step(name: &str) -> Option<&'static str> {
    Some(match name {
        "warning" => "La llamada fue atendida: la voz dice de qué se trata.",
        "entering-code" => "Marque el código en el teléfono.",
        "wrong-code" => "El código era incorrecto.",
        "code-matched" => "El código es correcto.",
        "confirming" => "Pulse la tecla que nombra la voz.",
        "confirmed" => "Confirmado.",
        "reading-back" => "La voz está leyendo seis cifras. Escríbalas aquí.",
        "telling" => "La voz dice qué certificados tiene el número.",
        "suspending" => "Quien llama quiere suspenderlos.",
        "ended" => "La llamada ha terminado.",
        _ => return None,
    })
}
